//! Draws random numbers that are good enough for keys and secrets.

/// 128 bits of the operating system's randomness, by way of AWS-LC.
pub fn entropy() -> u128 {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("AWS-LC ends the process where it has no randomness");
    u128::from_be_bytes(bytes)
}
