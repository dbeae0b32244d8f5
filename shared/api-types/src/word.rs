//! Words: values that JSON writes as one of a few fixed texts.

/// Defines an enum each variant of which is a word in JSON. The word is written once, beside its variant:
/// serde, the JSON Schema, `as_str` and `Display` all take it from there.
macro_rules! words {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $( $(#[$variant_about:meta])* $variant:ident = $word:literal, )+
        }
    ) => {
        $(#[$about])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $( $(#[$variant_about])* #[serde(rename = $word)] $variant, )+
        }

        impl $name {
            /// Lists all of the words.
            pub const WORDS: &'static [&'static str] = &[$( $word ),+];

            /// Gives the word, as it stands in JSON.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;
