//! Enums that are words of the contract: one list gives the type, its words both ways, and the choice for field tables.

/// Declares an enum whose variants are words: `word()`, `from_word()`, and `WORDS` in the order of the list.
#[macro_export]
macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$inner])* $variant),+
        }

        impl $name {
            /// Every word of the contract for this, in its order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The contract's word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// Reads the contract's word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use words;
