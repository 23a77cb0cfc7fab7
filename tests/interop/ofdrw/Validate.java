import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.stream.Collectors;
import org.ofdrw.reader.ContentExtractor;
import org.ofdrw.reader.OFDReader;
import org.ofdrw.reader.ResourceManage;
import org.ofdrw.sign.verify.OFDValidator;
import org.ofdrw.sign.verify.container.SESV4ValidateContainer;

/**
 * Reads OFD documents with ofdrw and validates every seal in them. One line per file: "valid", the
 * text of its first page and the embedded fonts that ofdrw found, or "invalid", the class of what
 * ofdrw threw and nothing, tab-separated.
 */
public final class Validate {
    public static void main(String[] files) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String file : files) {
            out.println(line(Paths.get(file)));
        }
    }

    private static String line(Path file) {
        try (OFDValidator validator = new OFDValidator(new OFDReader(file))) {
            // The reader unpacked it to a folder of its own; closing the validator removes that.
            validator.setValidator(new SESV4ValidateContainer());
            validator.exeValidate();
        } catch (Exception error) {
            return "invalid\t" + error.getClass().getSimpleName() + "\t";
        }
        try (OFDReader reader = new OFDReader(file)) {
            String text = String.join(" ", new ContentExtractor(reader).getPageContent(1));
            String fonts = new ResourceManage(reader).getFonts().stream()
                .filter(font -> font.getFontFile() != null)
                .map(font -> font.getFontName())
                .collect(Collectors.joining(","));
            return "valid\t" + text + "\t" + fonts;
        } catch (Exception error) {
            return "unreadable\t" + error.getClass().getSimpleName() + "\t";
        }
    }
}
