import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.Security;
import java.security.cert.CertPathValidator;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collections;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.Selector;

/**
 * Verifies detached CMS with SM2 by Bouncy Castle: the signature, the certificate that it names, and
 * the way from there to a root, now. Arguments: for each signature the root, its revocation list, the
 * CMS and the file of the content. It prints a line for each: "valid", which of the first two does
 * not hold, or what Bouncy Castle found.
 */
public final class CmsVerify {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
        for (int index = 0; index < arguments.length; index += 4) {
            String verdict;
            try {
                verdict =
                        judged(
                                factory,
                                trust(factory, arguments[index], arguments[index + 1]),
                                read(arguments[index + 2]),
                                read(arguments[index + 3]));
            } catch (Exception error) {
                verdict = error.getMessage();
            }
            System.out.println(verdict);
        }
    }

    /** Whoever leads to this root, and is not on its list. */
    private static PKIXParameters trust(CertificateFactory factory, String root, String list)
            throws Exception {
        X509Certificate anchor =
                (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(read(root)));
        X509CRL revoked = (X509CRL) factory.generateCRL(new ByteArrayInputStream(read(list)));
        PKIXParameters trust =
                new PKIXParameters(Collections.singleton(new TrustAnchor(anchor, null)));
        trust.addCertStore(
                CertStore.getInstance(
                        "Collection",
                        new CollectionCertStoreParameters(Collections.singleton(revoked)),
                        "BC"));
        return trust;
    }

    private static String judged(
            CertificateFactory factory, PKIXParameters trust, byte[] cms, byte[] content)
            throws Exception {
        CMSSignedData signed = new CMSSignedData(new CMSProcessableByteArray(content), cms);
        SignerInformation signer = signed.getSignerInfos().iterator().next();
        @SuppressWarnings("unchecked")
        Selector<X509CertificateHolder> named = signer.getSID();
        X509CertificateHolder holder = signed.getCertificates().getMatches(named).iterator().next();
        if (!signer.verify(
                new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder))) {
            return "signature";
        }
        Attribute attribute =
                signer.getSignedAttributes().get(PKCSObjectIdentifiers.id_aa_signingCertificateV2);
        ESSCertIDv2 meant =
                SigningCertificateV2.getInstance(attribute.getAttributeValues()[0]).getCerts()[0];
        DigestCalculator digest =
                new JcaDigestCalculatorProviderBuilder()
                        .setProvider("BC")
                        .build()
                        .get(meant.getHashAlgorithm());
        digest.getOutputStream().write(holder.getEncoded());
        if (!Arrays.equals(digest.getDigest(), meant.getCertHash())) {
            return "certificate";
        }
        X509Certificate leaf =
                (X509Certificate)
                        factory.generateCertificate(new ByteArrayInputStream(holder.getEncoded()));
        CertPathValidator.getInstance("PKIX", "BC")
                .validate(factory.generateCertPath(Collections.singletonList(leaf)), trust);
        return "valid";
    }

    private static byte[] read(String name) throws Exception {
        return Files.readAllBytes(Paths.get(name));
    }
}
