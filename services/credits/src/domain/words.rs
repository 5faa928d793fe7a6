//! Words of the contract that a request chooses rows by.

use crate::Error;

/// Declares the states of something, each with the word that the contract has for it.
macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name {
            $($variant,)+
        }

        impl $name {
            /// As the contract names it.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The state that a request chooses by `word`; none where the word is empty.
            fn chosen(word: &str) -> Result<Option<Self>, $crate::Error> {
                match word {
                    "" => Ok(None),
                    $($word => Ok(Some(Self::$variant)),)+
                    _ => Err($crate::domain::words::must_be(&[$($word),+])),
                }
            }
        }
    };
}

pub(super) use states;

/// Another word was sent as a state.
pub(super) fn must_be(words: &[&str]) -> Error {
    let (last, others) = words.split_last().map_or(("", words), |(last, others)| (*last, others));
    Error::field("state", format!("must be {} or {last}", others.join(", ")))
}

#[cfg(test)]
mod tests {
    states! {
        /// Where something stands.
        State { New = "new", Open = "open", Old = "old" }
    }

    #[test]
    fn a_state_is_chosen_by_its_word_and_others_are_named_what_there_is() {
        assert_eq!(State::chosen("").expect("no choice"), None);
        for state in [State::New, State::Open, State::Old] {
            assert_eq!(State::chosen(state.name()).expect("a choice"), Some(state));
        }
        let refused = State::chosen("New").expect_err("it is no word of the contract").to_string();
        assert_eq!(refused, "state: must be new, open or old");
    }
}
