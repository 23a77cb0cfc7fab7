import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.ofdrw.gm.ses.v4.SESeal;
import org.ofdrw.reader.OFDReader;
import org.ofdrw.sign.OFDSigner;
import org.ofdrw.sign.SignMode;
import org.ofdrw.sign.signContainer.SESV4Container;
import org.ofdrw.sign.stamppos.NormalStampPos;

/**
 * Seals OFD documents with ofdrw. Arguments: the folder of key.pk8, signer.der and seal.esl, then
 * for each document the mode ("ContinueSign" or "WholeProtected"), its path and where it goes.
 */
public final class Sign {
    public static void main(String[] arguments) throws Exception {
        BouncyCastleProvider provider = new BouncyCastleProvider();
        Path folder = Paths.get(arguments[0]);
        PrivateKey key =
                KeyFactory.getInstance("EC", provider)
                        .generatePrivate(
                                new PKCS8EncodedKeySpec(
                                        Files.readAllBytes(folder.resolve("key.pk8"))));
        Certificate signer;
        try (InputStream der = new FileInputStream(folder.resolve("signer.der").toFile())) {
            signer = CertificateFactory.getInstance("X.509", provider).generateCertificate(der);
        }
        SESeal seal = SESeal.getInstance(Files.readAllBytes(folder.resolve("seal.esl")));
        for (int index = 1; index < arguments.length; index += 3) {
            Path from = Paths.get(arguments[index + 1]);
            Path to = Paths.get(arguments[index + 2]);
            try (OFDReader reader = new OFDReader(from);
                    OFDSigner sealing = new OFDSigner(reader, to)) {
                sealing.setSignMode(SignMode.valueOf(arguments[index]));
                sealing.setSignContainer(new SESV4Container(key, seal, signer));
                sealing.addApPos(new NormalStampPos(1, 50, 50, 40, 40));
                sealing.exeSign();
            }
        }
    }
}
