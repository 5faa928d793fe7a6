//! Identifiers of the literature, of trials and of vocabularies: they name works and concepts, and never people.

use std::sync::LazyLock;

use regex::Regex;

use crate::pattern;

static KNOWN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // DOIs, alone or in an address.
        r"(?i)\b10\.\d{4,9}/[^\s,;]+",
        // Addresses of the literature.
        r"(?i)\b(?:https?://)?(?:www\.)?(?:[\w-]+\.)*(?:doi\.org|nih\.gov|clinicaltrials\.gov|europepmc\.org|who\.int|cdc\.gov|fda\.gov|nejm\.org|thelancet\.com|bmj\.com|jamanetwork\.com|cochranelibrary\.com)\S*",
        // Articles and books.
        r"(?i)\b(?:pmids?|pubmed(?: ?ids?)?|medline)(?: ?(?:no|number|is)\b\.?)?[ :#=]*\d{1,9}(?:(?:,| and| or|;|/)\s*\d{5,9})*",
        r"(?i)\bpmc(?:id)?[ :#]*(?:pmc)?\d{3,9}\b",
        r"(?i)\b(?:isbn|issn|eissn|arxiv|orcid)(?:-1[03])?[ :#]*[\d][\dxX. -]{6,17}",
        r"(?i)\bPII[ :]*S?[\d()X-]{10,}",
        // Trials and reviews.
        r"(?i)\b(?:nct|isrctn|eudract|euctr|umin|jprn|chictr|ctri|actrn|drks|rbr|tctr|irct|kct|pactr|slctr|crd|ntr|nl)[ :#-]*(?:no\.?|number)?[ :#-]*[a-z]{0,4}[\d/-]{4,}[a-z0-9]*\b",
        r"(?i)\b(?:clinicaltrials\.gov|prospero|trial registration|registration number|registry number|trial (?:id|number|no\.?)|grant(?: number| no\.?)?|protocol(?: number| no\.?)?)[ :#]*(?:identifier|id)?[ :#]*[a-z]{0,6}[-/]?\d[\w/-]*",
        r"\b20\d\d-\d{6}-\d{2}\b",
        // Approvals of drugs, and reviews by their number.
        r"(?i)\b(?:fda )?(?:s?a?nda|bla|ind|pma|510\(k\))(?: ?(?:no\.?|number|#))?[ :#-]*[kp]?\d{5,6}\b",
        r"\bCD\d{6}\b",
        // The line of poison control.
        r"\b(?:1[ .-]?)?\(?800\)?[ .-]222[ .-]1222\b",
        // Vocabularies, genes, molecules.
        r"(?i)\b(?:omim|mim|snomed(?: ?ct)?|loinc|meddra|rxcui|rxnorm|umls|mesh|cpt|hcpcs|icd(?:-?\d+)?(?:-cm)?|atc|cas|ndc|hgnc|ensembl|uniprot|chembl|drugbank|cid|unii|pdb|geo|ec|go|hp)(?: ?(?:code|id|no\.?|number))?(?:[ :#]+[a-z]{0,4}[ :]?)?\d[\d.-]*\b",
        r"(?i)\b(?:rs|gse|gsm|ensg|enst|nm_|np_|nc_|srr|prjna|hp:|go:)\d{3,}\b",
        // Places in a genome, compounds by the code of their maker.
        r"(?i)\bchr(?:\d{1,2}|[xym]):[\d,]+(?:-[\d,]+)?",
        r"\b(?:ABT|AMG|AZD|BAY|BMS|CNTO|GSK|JNJ|LY|MEDI|MK|ONO|PF|REGN|SAR|SCH|TAK|VX)[ -]?\d{3,8}(?:-\d{2,4})?\b",
        r"(?i)\bm?rna-\d{3,5}\b",
        // Editions of guidelines and numbers of standards.
        r"(?i)\b(?:iso|iec|astm|cfr|usc|rfc|nice|ng|cg|ta)[ /-]*\d{2,6}(?:[-:/]\d+)*\b",
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// The text with identifiers of works blanked, of the same length in bytes.
pub(crate) fn blank(text: &str) -> String {
    let mut blanked = text.to_owned();
    for known in KNOWN.iter() {
        if known.is_match(&blanked) {
            blanked = known
                .replace_all(&blanked, |found: &regex::Captures<'_>| " ".repeat(found[0].len()))
                .into_owned();
        }
    }
    blanked
}
