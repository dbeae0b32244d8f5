//! The sample events of five AI-security products.

use serde_json::Value;

/// Each product, and its events.
const SAMPLES: [(&str, &str); 5] = [
    ("AISG", include_str!("../../../events/aisg.json")),
    ("AISentinel", include_str!("../../../events/aisentinel.json")),
    ("Authensor", include_str!("../../../events/authensor.json")),
    ("OmegaEngine", include_str!("../../../events/omegaengine.json")),
    ("Secureagentics", include_str!("../../../events/secureagentics.json")),
];

/// An event to be sent.
pub(super) struct Sample {
    pub(super) product: &'static str,
    pub(super) event_type: String,
    pub(super) event: Value,
}

/// Reads all of them. Each run's events have ids of their own, else those of a second run were duplicates.
pub(super) fn read_samples(run: &str) -> Result<Vec<Sample>, String> {
    let mut samples = Vec::new();
    for (product, text) in SAMPLES {
        let events: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for mut event in events {
            let event_type = text_of(&event, "type");
            let id = format!("{}-{run}", text_of(&event, "id"));
            if let Some(member) = event.get_mut("id") {
                *member = id.into();
            }
            samples.push(Sample { product, event_type, event });
        }
    }
    Ok(samples)
}

fn text_of(event: &Value, member: &str) -> String {
    event.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
