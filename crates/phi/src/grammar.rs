//! What the numbers of a person have in common: a label, what stands between, and a number in groups.
//!
//! Detectors are products of these: each kind names its labels and its numbers, and any of its numbers is found behind any
//! of its labels, whatever of this stands between. A form that is missing is added here, for all kinds.

/// Signs between words, and around what is quoted. Only those that normalization leaves: classes of all scripts would make
/// every pattern large.
pub(crate) const SIGN: &str = r"[ \t\n!-/:-@\[-`{-~→»«“”°]";

/// Words that stand between a label and its number and say nothing of either: forms of "to be", what is pointed at, where
/// it was read, whose it is.
const WORDS: &str = r"(?:is|was|be|being|are|were|reads?|says?|shows?|shown|showing|lists?|listed|given|gave|provided|entered|recorded|noted|written|has|have|had|starts?|begins?|ends?|ending|of|for|to|in|on|at|as|by|from|with|w|per|via|under|this|that|the|a|an|his|her|their|my|our|your|i|we|she|he|they|it|patient'?s?|pt'?s?|number|num|no|nr|id|code|value|val|file|record|chart|epic|cerner|portal|system|face|sheet|facesheet|header|label|sticker|form|card|printout|wrist|band|verified|confirmed|correct|new|old|current|actual|also|still|just|now|here|lady|man|woman|gentleman|pump|device|monitor|machine|meter|implant|lead|pacemaker|icd|slip|ist|est|es|è|é|lautet|del|de|la|le|el|du|der|die|das|paciente|patiente?|paziente|follows)";

/// What may stand between a label and its number.
pub(crate) fn gap() -> String {
    format!(r"(?:{SIGN}{{1,4}}{WORDS}\b){{0,6}}{SIGN}{{0,8}}")
}

/// Signs between two groups of one number, however they were typed or pasted.
pub(crate) const BETWEEN_GROUPS: &str = r"[ \n.,:;/|+*~_()\[\]{}-]";

/// Digits in any grouping, from the least to the most.
pub(crate) fn digits(least: usize, most: usize) -> String {
    format!(r"\d(?:{BETWEEN_GROUPS}{{0,3}}\d){{{},{}}}", least - 1, most - 1)
}

/// The last four digits of a number whose others are not told: masked, or said to be the last.
pub(crate) fn last_four() -> String {
    let gap = gap();
    format!(
        r"(?:(?:[x*#•]{{1,12}}|\.{{2,4}})[ -]?|\b(?:ends?|ending|last|final)\b(?:[ -]?(?:4|four)\b)?(?: digits?\b)?{gap})\d{{4}}\b"
    )
}
