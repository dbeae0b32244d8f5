//! The profiles that come with the crate.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// The files of the profiles that come with the crate: name and text, `standard` first.
        ///
        /// Whoever sends reads further sections (envelope, events, retry …) from the same files.
        pub const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../profiles/", $name, ".json")))),*];
    };
}

files![
    "standard",
    "aisentinel",
    "authensor",
    "aisg",
    "secureagentics",
    "omegaengine",
    "github",
    "stripe",
    "slack",
    "svix",
    "cloudevents",
    "cloudevents-binary",
];
