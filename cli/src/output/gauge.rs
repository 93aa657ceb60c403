//! A bar of characters: how much of something is done or used.

/// `██████░░░░░░`; a share is 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "some dozen steps"
)]
pub(crate) fn gauge(share: f64, width: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_it_says() {
        assert_eq!([0.0, 0.5, 1.0].map(|share| gauge(share, 4)), ["░░░░", "██░░", "████"]);
        for odd in [-1.0, 2.0, f64::NAN, f64::INFINITY] {
            assert_eq!(gauge(odd, 7).chars().count(), 7, "{odd}");
        }
        assert_eq!(gauge(0.5, 0), "");
    }
}
