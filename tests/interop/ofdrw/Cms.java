import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Collections;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.SignedData;
import org.bouncycastle.asn1.cms.SignerInfo;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * Signs with SM2 in CMS, detached, by Bouncy Castle. Arguments: the folder of key.pk8 and
 * signer.der, then for each signature its form, the file of the content and where the CMS goes. Forms:
 * "ess" and "plain" have the content types of RFC 5652, with and without the attribute that names the
 * certificate; "gm" has those of GB/T 35275, its version and its algorithm.
 */
public final class Cms {
    private static final String GM_TYPES = "1.2.156.10197.6.1.4.2.";

    public static void main(String[] arguments) throws Exception {
        BouncyCastleProvider provider = new BouncyCastleProvider();
        Path folder = Paths.get(arguments[0]);
        PrivateKey key =
                KeyFactory.getInstance("EC", provider)
                        .generatePrivate(
                                new PKCS8EncodedKeySpec(
                                        Files.readAllBytes(folder.resolve("key.pk8"))));
        byte[] der = Files.readAllBytes(folder.resolve("signer.der"));
        X509Certificate signer =
                (X509Certificate)
                        CertificateFactory.getInstance("X.509", provider)
                                .generateCertificate(new ByteArrayInputStream(der));
        for (int index = 1; index < arguments.length; index += 3) {
            String form = arguments[index];
            byte[] content = Files.readAllBytes(Paths.get(arguments[index + 1]));
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            JcaSignerInfoGeneratorBuilder builder =
                    new JcaSignerInfoGeneratorBuilder(
                            new JcaDigestCalculatorProviderBuilder().setProvider(provider).build());
            if (form.equals("ess")) {
                byte[] digest = MessageDigest.getInstance("SM3", provider).digest(der);
                ESSCertIDv2 named =
                        new ESSCertIDv2(new AlgorithmIdentifier(GMObjectIdentifiers.sm3), digest);
                ASN1EncodableVector attributes = new ASN1EncodableVector();
                attributes.add(
                        new Attribute(
                                PKCSObjectIdentifiers.id_aa_signingCertificateV2,
                                new DERSet(new SigningCertificateV2(named))));
                builder.setSignedAttributeGenerator(
                        new DefaultSignedAttributeTableGenerator(new AttributeTable(attributes)));
            }
            generator.addSignerInfoGenerator(
                    builder.build(
                            new JcaContentSignerBuilder("SM3WITHSM2")
                                    .setProvider(provider)
                                    .build(key),
                            signer));
            generator.addCertificates(new JcaCertStore(Collections.singletonList(signer)));
            ASN1ObjectIdentifier type =
                    form.equals("gm")
                            ? new ASN1ObjectIdentifier(GM_TYPES + "1")
                            : PKCSObjectIdentifiers.data;
            CMSSignedData made =
                    generator.generate(new CMSProcessableByteArray(type, content), false);
            ContentInfo info = made.toASN1Structure();
            byte[] written =
                    form.equals("gm") ? national(info).getEncoded("DER") : info.getEncoded("DER");
            Files.write(Paths.get(arguments[index + 2]), written);
        }
    }

    /** The same in the form of GB/T 35275: what no signature covers is written otherwise. */
    private static DERSequence national(ContentInfo info) throws Exception {
        SignedData data = SignedData.getInstance(info.getContent());
        SignerInfo signer = SignerInfo.getInstance(data.getSignerInfos().getObjectAt(0));
        ASN1ObjectIdentifier sm2 = new ASN1ObjectIdentifier("1.2.156.10197.1.301.1");
        DERSequence one =
                sequence(
                        new ASN1Integer(1),
                        signer.getSID(),
                        signer.getDigestAlgorithm(),
                        new DERTaggedObject(false, 0, signer.getAuthenticatedAttributes()),
                        new AlgorithmIdentifier(sm2),
                        signer.getEncryptedDigest());
        DERSequence signed =
                sequence(
                        new ASN1Integer(1),
                        data.getDigestAlgorithms(),
                        data.getEncapContentInfo(),
                        new DERTaggedObject(false, 0, data.getCertificates()),
                        new DERSet(one));
        return sequence(
                new ASN1ObjectIdentifier(GM_TYPES + "2"), new DERTaggedObject(true, 0, signed));
    }

    private static DERSequence sequence(org.bouncycastle.asn1.ASN1Encodable... parts) {
        ASN1EncodableVector all = new ASN1EncodableVector();
        for (org.bouncycastle.asn1.ASN1Encodable part : parts) {
            all.add(part);
        }
        return new DERSequence(all);
    }
}
