//! How far long work is: on standard error, and on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar towards a known end.
pub(crate) fn bar(total: usize, unit: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX));
    let template = format!("{{bar:30}} {{pos}} of {{len}} {unit}  {{elapsed}}");
    apply_style(bar, &template)
}

/// A count, where nobody knows the end.
pub(crate) fn counter(unit: &'static str) -> ProgressBar {
    apply_style(ProgressBar::new_spinner(), &format!("{{spinner}} {{pos}} {unit}  {{elapsed}}"))
}

/// `indicatif` hides a bar where standard error is not a terminal.
fn apply_style(bar: ProgressBar, template: &str) -> ProgressBar {
    bar.set_draw_target(ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
