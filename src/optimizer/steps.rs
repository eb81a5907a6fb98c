//! Numbers that TF1 keeps as powers and Keras as counts.

/// A power below this has lost digits to underflow in `float32`.
const SMALLEST_POWER: f64 = 1e-36;

/// The number of steps after which TF1 holds `power` for `beta`: it keeps `beta^(t + 1)` after `t`
/// steps. `None` where the power has underflowed, or is no power of `beta` at all.
pub fn steps_taken(power: f64, beta: f64) -> Option<u32> {
    if !(SMALLEST_POWER..1.0).contains(&power) || !(0.0..1.0).contains(&beta) || beta == 0.0 {
        return None;
    }
    let exponent = power.ln() / beta.ln();
    let steps = exponent.round() - 1.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
    ((0.0..f64::from(u32::MAX)).contains(&steps) && (exponent - exponent.round()).abs() < 0.25)
        .then_some(steps as u32)
}

/// The product of the momentum schedule that Keras's Nadam keeps after `steps` steps:
/// `beta_1 * (1 - 0.5 * 0.96^(decay * i))` over `i = 1..=steps`, with a `decay` of 0.004 in the older
/// optimizer and 1 in the newer ones (as run in both).
pub fn momentum_product(beta_1: f64, steps: u32, decay: f64) -> f64 {
    let mut product = 1.0;
    for i in 1..=steps {
        product *= beta_1 * (1.0 - 0.5 * 0.96_f64.powf(decay * f64::from(i)));
        if product == 0.0 {
            break;
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_lead_back_to_steps() {
        for steps in [0_u32, 1, 20, 500] {
            #[allow(clippy::cast_possible_truncation, reason = "as TF1 stores it")]
            let power = f64::from(0.9_f64.powi(i32::try_from(steps).unwrap() + 1) as f32);
            assert_eq!(steps_taken(power, 0.9), Some(steps));
        }
        assert_eq!(steps_taken(0.0, 0.9), None);
        assert_eq!(steps_taken(1e-40, 0.9), None);
        assert_eq!(steps_taken(0.95, 0.9), None);
    }

    /// As Keras 2.15 computes them.
    #[test]
    fn products_of_nadam() {
        assert!((momentum_product(0.9, 1, 1.0) - 0.468).abs() < 1e-6);
        assert!((momentum_product(0.9, 2, 1.0) - 0.227_11).abs() < 1e-5);
        assert!((momentum_product(0.9, 1, 0.004) - 0.450_073).abs() < 1e-6);
        assert!((momentum_product(0.9, 2, 0.004) - 0.202_599).abs() < 1e-6);
    }
}
