use proptest::prelude::*;

use super::Moments;

fn joined(numbers: &[f64], at: usize) -> Moments {
    let (first, second) = numbers.split_at(at);
    let mut moments = Moments::default();
    for part in [first, second] {
        moments.join(&Moments::of(part));
    }
    moments
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

#[test]
fn what_is_not_finite_is_counted_apart() {
    let moments = joined(&[1.0, f64::NAN, 3.0, f64::INFINITY, f64::NEG_INFINITY, 0.0], 2);
    assert_eq!((moments.finite, moments.nan, moments.infinite, moments.zero), (3, 1, 2, 1));
    assert_eq!((moments.range(), moments.count()), (Some((0.0, 3.0)), 6));
    assert!(near(moments.mean().unwrap(), 4.0 / 3.0));
    assert!(near(moments.deviation().unwrap(), (14.0_f64 / 9.0).sqrt()));
    assert_eq!(Moments::of(&[f64::NAN]).mean(), None);
    assert_eq!(Moments::default().range(), None);
}

#[test]
fn a_small_deviation_of_large_numbers() {
    let moments = joined(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0, 1e9 + 4.0], 3);
    assert!(near(moments.deviation().unwrap(), 1.25_f64.sqrt()));
    assert_eq!(Moments::of(&[f64::MAX; 4]).mean(), Some(f64::MAX));
    let far = joined(&[-1e215, 1e215], 1);
    assert_eq!((far.mean(), far.deviation()), (Some(0.0), None));
}

proptest! {
    #[test]
    fn parts_are_as_good_as_the_whole(
        numbers in prop::collection::vec(-1e3..1e3_f64, 1..40),
        at in 0..40_usize,
    ) {
        let found = joined(&numbers, at.min(numbers.len()));
        let count = f64::from(u32::try_from(numbers.len()).unwrap());
        let mean = numbers.iter().sum::<f64>() / count;
        let variance = numbers.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / count;
        prop_assert!(near(found.mean().unwrap(), mean));
        prop_assert!(near(found.deviation().unwrap(), variance.sqrt()));
        let least = numbers.iter().copied().reduce(f64::min).unwrap();
        let most = numbers.iter().copied().reduce(f64::max).unwrap();
        prop_assert_eq!(found.range(), Some((least, most)));
    }
}
