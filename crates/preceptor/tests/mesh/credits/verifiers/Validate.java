import java.io.File;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Validates a file as PDF/A-3b and as PDF/UA-1; ends with 0 when it is both. */
public class Validate {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        boolean valid = true;
        for (String name : new String[] {"3b", "ua1"}) {
            PDFAFlavour flavour = PDFAFlavour.fromString(name);
            try (PDFAParser parser = Foundries.defaultInstance().createParser(new File(arguments[0]), flavour)) {
                PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false);
                ValidationResult result = validator.validate(parser);
                System.out.println(name + ": " + (result.isCompliant() ? "valid" : "not valid")
                    + " after " + result.getTotalAssertions() + " assertions");
                for (TestAssertion assertion : result.getTestAssertions()) {
                    System.out.println("  " + assertion.getRuleId().getClause() + " " + assertion.getMessage());
                }
                valid &= result.isCompliant() && result.getTotalAssertions() > 0;
            }
        }
        System.exit(valid ? 0 : 1);
    }
}
