//! `choices!`: a value that is one of a few words.

/// Declares an enum whose variants are words of the configuration.
///
/// Words after `later` are known but not built: reading one says so, instead of "unknown".
#[macro_export]
macro_rules! choices {
    (
        $(#[doc = $about:literal])+
        $visibility:vis enum $name:ident as $what:literal {
            $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal ),+ $(,)?
        }
        $(later { $($later:literal),+ $(,)? })?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $name { $( $(#[doc = $doc])+ $variant ),+ }

        impl $name {
            /// The word that stands for this choice in a file.
            $visibility fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word ),+ }
            }
        }

        impl $crate::Value for $name {
            const SHAPE: $crate::Shape = $crate::Shape {
                form: $crate::Form::Text,
                what: $what,
                expected: concat!("a ", $what),
                pattern: "",
                choices: &[$($word),+],
                secret: false,
            };

            fn read(raw: &$crate::Raw) -> Result<Self, $crate::Mismatch> {
                let $crate::Raw::Text(text) = raw else {
                    return Err($crate::Mismatch::form(&Self::SHAPE, raw));
                };
                match text.as_str() {
                    $( $word => Ok(Self::$variant), )+
                    $( $( $later => Err($crate::Mismatch::new(
                        concat!($what, " `", $later, "` is not built yet"),
                    ).expected($crate::one_of(Self::SHAPE.choices))), )+ )?
                    other => Err($crate::Mismatch {
                        candidates: Self::SHAPE.choices,
                        ..$crate::Mismatch::new(format!("unknown {} `{other}`", $what))
                            .expected($crate::one_of(Self::SHAPE.choices))
                    }),
                }
            }
        }
    };
}

/// `"a", "b" or "c"`: the words of a choice as messages list them.
pub fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
