//! The words that contexts of names are made of, and the forms of a written name.

/// A written name: capitalized words with particles and initials between them.
pub(super) const NAME: &str = r"(?P<name>\p{Lu}[\p{L}'-]*\.?(?: (?:(?:de|da|di|du|del|della|dos|van|von|der|den|ter|bin|ibn|al|el|la|le|y|e) ){0,2}\p{Lu}[\p{L}'-]*\.?){0,3})";
/// Two words or more of it.
pub(super) const FULL: &str = r"(?P<name>\p{Lu}[\p{L}'-]*\.?(?: (?:(?:de|da|di|du|del|della|dos|van|von|der|den|ter|bin|ibn|al|el|la|le|y|e) ){0,2}\p{Lu}[\p{L}'-]*\.?){1,3})";
/// A name however it is written: known given names only.
pub(super) const ANY: &str = r"(?P<name>[\p{L}][\p{L}'-]+(?: [\p{L}]\b\.?)?(?: (?:(?:de|da|di|van|von|bin|al|el) )?[\p{L}][\p{L}'-]+)?)";
/// Words for a patient.
pub(super) const PATIENT: &str = r"(?i:patients?|pts?|ptnts?|pnts?|pat|clients?|inpatient|outpatient|veteran|paciente|patiente|paziente|patientin|patiënte?|pasient(?:en)?|pacjent(?:ka|ki|a|em)?)";
/// Words for anybody.
pub(super) const PERSON: &str = r"(?i:patients?|pts?|clients?|m[ae]n|wom[ae]n|boy|girl|lad(?:y|ies)|gentlem[ae]n|guy|person|child|kid|baby|infant|toddler|newborn|teen\w*|adolescent|adult|male|female|veteran|resident|individual|neighbou?r|colleague|friend|farmer|teacher|smoker|diabetic|he|she|who|one|somebody|someone|old|yo|y/o|paciente|paziente|hombre|mujer|homme|femme|uomo|donna|Mann|Frau|niñ[oa]|se|s')";
/// Words for who is related to a patient or near to one.
pub(crate) const RELATIVE: &str = r"(?i:mother|father|mom|mum|dad|son|daughter|wife|husband|partner|child|baby|brother|sister|grand(?:mother|father|ma|pa|son|daughter)|uncle|aunt|niece|nephew|cousin|neighbou?r|friend|colleague|roommate|boss|dtr|hubby|sis|bro|fianc[ée]e?|girlfriend|boyfriend|gf|bf|spouse|stepson|stepdaughter|step(?:mom|dad)|madre|padre|abuel[oa]|t[ií][oa]|herman[oa]|mam[áa]|pap[áa]|nonn[oa]|sorella|fratello|oma|opa|Mutter|Vater|Tochter|Sohn|Schwester|Bruder|moeder|vader|dochter|zoon|grand-?mère|grand-?père|sœur|frère|avó|avô|babcia|matka|hij[oa]|espos[oa]|mère|père|mari|femme|figli[oa]|moglie|marito)";
/// A title that may stand before a name.
pub(super) const TITLES: &str = r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|MR|MRS|mr|mrs|dr)\.? )?";
/// An age, and what else only a patient has, behind a name.
pub(super) const AGE: &str = r"(?i:(?:aged? |age:? )?\d{1,3} ?-? ?(?:y\b|yo\b|y\.o|y/o|yr|year|m\b|f\b|ans\b|años|anni\b|jahre|months?|mo\b)|aged? \d|(?:male|female)\b|[mf]/\d|[mf] ?\d{2}\b|d\.?o\.?b|born|mrn|ssn|bed \w|room \w|ward \w|rm \d)";
/// What introduces a person in a note or a letter.
pub(super) const INTRODUCED: &str = r"(?i:(?:was |pt |patient )?seen(?: and examined)? (?:today|yesterday|tonight|this (?:am|pm|morning|afternoon)|in (?:clinic|the ed|the er|office)|on rounds)|consult(?:ed|ation)?(?: request(?:ed)?)?(?: for| on| re| about)?|(?:thanks?(?: you)?|thx|ty|grateful|appreciate) (?:for )?(?:referring|seeing|sending|accepting|the referral of|your referral of)|attn|attention|(?:discharge|progress|clinic|admission|operative|op|procedure|transfer|nursing|ed|icu|case|death)? ?(?:summary|notes?|letter|report|list)|h&p|hx|cc|hpi|h/o|admit(?:ted|ting)?|new (?:pt|patient|admit|consult|admission)|f/?u|follow[ -]?up|hand ?-?off|sign ?-?out|referral|referred|subject|sub|fwd?|ref|re|poa|nok|next of kin|hcp|hcpoa|proxy|surrogate|decision maker|guarantor|responsible party|policy ?holder|cardholder|informant|witness|guardian|caregiver|carer|emergency contact|contact|(?:identified|identifies|listed|registered|known|documented|labell?ed) as|alias|a\.?k\.?a\.?|n[eé]e|name|initials|client|resident|inmate|prisoner|veteran|donor|recipient|sender|signed|from|written by patient|rounding on|covering|spoke (?:to|with)|talked (?:to|with)|called by|message from|call from|letter from|question from)";
/// Who is addressed so is nobody's lecturer.
pub(super) const RANKS: &str = r"(?:Officer|Ofc|Sgt|SSgt|MSgt|Sergeant|Capt|Captain|Lt|Lieutenant|Cpl|Corporal|Pvt|Private|PFC|Col|Colonel|Maj|Cdr|Chief|Judge|Pastor|Rev|Reverend|Fr|Father|Deacon|Rabbi|Imam|Coach|Brother|Sister|Bro|Sis|Miss|Master|Mstr|Smt|Shri|Sri|Kumari|Kum|Bhai|Sardar|Haji|Hajji|Sheikh|Don|Doña|Dona|Pan|Pani|Pani|Bay|Bayan|Tuan|Puan|Encik|Datuk|Khun|Nana|Aunt|Auntie|Uncle|Grandma|Grandpa|Grandmother|Grandfather|Baby|Little)";
/// What is taken by people: by name or by the endings of international names.
pub(super) const DRUG: &str = r"(?:warfarin|coumadin|eliquis|xarelto|pradaxa|lixiana|savaysa|lovenox|plavix|aspirin|asa|insulin|ibuprofen|heparin|blood thinners?|anticoag\w*|antiplatelets?|antibiotics?|chemo\w*|steroids?|dialysis|oxygen|doacs?|noacs?|vka|hrt|marcumar|sintrom|\w+(?:xaban|gatran|parin|grel|statin|pril|sartan|olol|mab|nib|cillin|mycin|azole|pine|tide|gliflozin|gliptin|formin|sone|lone|oxetine|pram|coumon|coumarol)s?)";
/// What is done to a patient.
pub(super) const ACTED: &str = r"(?i:dos(?:e|es|ing|age)|treat\w*|giv(?:e|en|ing)|gave|prescrib\w*|start\w*|stop\w*|hold\w*|switch\w*|continu\w*|discharg\w*|admit\w*|manag\w*|anticoagul\w*|transfus\w*|intubat\w*|operat\w*|saw|see|seeing|seen|bridg\w*|\w+oscopy|\w+ectomy|surgery|biopsy|scan|mri|ct|labs?|results?|inr|potassium|creatinine|hba1c|bp|care|visit|warfarin|apixaban|rivaroxaban|dabigatran|heparin|insulin|metformin|statin|antibiotics?|chart|record|notes?|regarding|about|re)";
/// What a patient does or undergoes.
pub(super) const DOES: &str = r"(?i:(?:is|was|has been|will be|be|been)? ?(?:has|have|had|takes?|took|taking|bleeds?|bled|bleeding|needs?|presents?|presented|came|comes|complains?|weighs|gets?|receives?|receiving|develop(?:s|ed)|fell|wants?|asks?|tolerates?|admitted|discharged|allergic|diagnosed|on|in (?:bed|room|ward|icu|clinic)|pregnant|diabetic|hypotensive|septic|safe|eligible|due|scheduled|vomit\w*|refus\w*|suffer\w*|bleeding|start(?:ed)?|stop(?:ped)?|died|deceased))";
/// What is said of a person, behind the name.
pub(super) const SAID: &str = r"(?i:has|had|is (?:\d|on|a|an|bleeding|in|my|now|still|due|scheduled|allergic|pregnant|diabetic|taking|having|going)|was (?:admitted|started|given|put|on|taking|born|found|seen|discharged|told)|takes?|took|says|said|wants?|wanted|needs?|fell|bleeds?|bled|called|asks?|asked|complains|weighs|feels|felt|stopped|refuses|refused|missed|reports|denies|lives|vomited|died|turned|forgot|keeps|came in|and (?:her|his))";
/// What stands behind the name of somebody to whom something is done.
pub(super) const BEHIND: &str = r"(?:[?.,;:!)]|$| (?i:safe for (?:mri|ct|surgery|discharge|transfer|tpa|lysis|lp|an? )|eligible|able|ready|fit|cleared|candidate|allergic|have|has|take|takes|get|be|is|with|who|on|and|before|after|if|an?|the|now|today|tonight|tomorrow|for|w/|post|until|via|please|pls|thx|so|but|because|since|or|at|to|start|stop|tolerate|eat|drink|use|restart|continue|switch|receive|need|vitamin|hold|given|when|whose|aged?|\d))";
/// Relatives and housemates, as they are called before a name that is known.
pub(super) const KIN: &str = r"(?i:mother|father|mom|mum|mommy|dad|daddy|son|daughter|wife|husband|spouse|partner|brother|sister|grand(?:mother|father|ma|pa|son|daughter)|granny|nana|uncle|aunt(?:ie|y)?|niece|nephew|cousin|neighbou?r|friend|roommate|caregiver|twin [ab12]|baby(?: boy| girl)?|little|old|poor|young|resident|inmate)";
/// Titles that the living and the dead bear.
pub(super) const RANK: &str = r"(?:Officer|Sgt|Sergeant|Captain|Capt|Lt|Lieutenant|Corporal|Colonel|Major|Chief|Judge|Pastor|Rev|Reverend|Father|Fr|Sister|Brother|Rabbi|Imam|Coach|Deacon|Miss|Senator|Mayor|Don|Doña|Pan|Pani|M|Aunt|Uncle|Auntie|Grandma|Grandpa|Granny|Nana|Baby)";
/// What is measured of a patient.
pub(super) const MEASURED: &str = r"(?:INR|inr|K\+?|Cr|creat(?:inine)?|BUN|BP|bp|HR|Hgb|Hb|hgb|plts?|Plts?|PLT|WBC|Na|trop\w*|A1[cC]|a1c|eGFR|egfr|CrCl|crcl|GFR|lactate|temp|sats?|SpO2|glucose|sugar|BG|potassium|EF)";
/// Quotes and brackets before a name.
pub(super) const CITE: &str = r"(?:[\x22'(\[]{1,2})?";
/// Signs before a name that is introduced.
pub(super) const GAP: &str = r"(?: ?[.,:;#=>|/-]{1,2} ?| )";

/// What only a person does, whoever it is.
pub(super) fn acts(verb: &str) -> String {
    format!(
        r"(?i:(?:(?:is|was|has been|stays|went|got) ){verb}(?:also |now |still |currently |already |just )?(?:on|taking|takes|took|started|started on|put on|using|given) (?:an? |the |her |his |two |three |\d+ )?{DRUG}\b|is bleeding|bleeds|bled|fell\b|vomited|complains|refuses|was (?:admitted|discharged|shot|intubated|seen in|hospitali[sz]ed)|(?:is )?my patient|is (?:anticoagulated|admitted|vomiting|pregnant|septic|my patient|in my|in bed|in room|on the ward|on my|\d{{1,3}}\b)|(?:says|said|wants|asks|asked|called|reports|denies) (?:her|his|she|he|to|if|that|about|for|bleeding)|has (?:a |an |new |had |chronic |severe |recurrent )*(?:af|afib|atrial|dvt|pe|gi bleed|bleed\w*|stroke|tia|cancer|diabetes|pneumonia|fever|jaundice|chest|pain|ckd|copd|hiv)\b)"
    )
}
