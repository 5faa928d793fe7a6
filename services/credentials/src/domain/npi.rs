//! National provider identifiers.

/// Whether a text is a well-formed NPI: ten digits that begin with 1 or 2, the last of which makes the Luhn sum of
/// `80840` and the number divisible by ten (CMS, "Requirements for NPI check digit"; the prefix adds the constant 24).
pub fn is_npi(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if text.len() != 10 || digits.len() != 10 || !matches!(digits[0], 1 | 2) {
        return false;
    }
    let doubled = |digit: u32| if digit * 2 > 9 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { doubled(*digit) } else { *digit })
        .sum();
    (sum + 24).is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_valid_and_its_neighbors_are_not() {
        assert!(is_npi("1234567893"));
        for wrong in ["1234567890", "1234567894", "3234567893", "123456789", "12345678931", "12345a7893", ""]
        {
            assert!(!is_npi(wrong), "{wrong}");
        }
    }

    #[test]
    fn every_single_wrong_digit_is_noticed() {
        let good = "1234567893";
        for place in 1..10 {
            for digit in '0'..='9' {
                let changed: String =
                    good.chars().enumerate().map(|(at, c)| if at == place { digit } else { c }).collect();
                assert_eq!(is_npi(&changed), changed == good, "{changed}");
            }
        }
    }
}
