//! Range, mean and deviation of numbers, in parts that can be joined.

/// What numbers are like. Those that are not finite are counted and are in nothing else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// How many are finite.
    pub finite: u64,
    /// How many are NaN.
    pub nan: u64,
    /// How many are infinite.
    pub infinite: u64,
    /// How many are 0.
    pub zero: u64,
    least: f64,
    most: f64,
    mean: f64,
    /// Sum of the squares of their distances from the mean.
    squares: f64,
}

impl Default for Moments {
    fn default() -> Self {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { finite: 0, nan: 0, infinite: 0, zero: 0, least, most, mean: 0.0, squares: 0.0 }
    }
}

/// Sums are kept so many at a time, which a processor adds at once.
const LANES: usize = 8;

impl Moments {
    /// Those of `numbers`, which are gone through twice: first the mean, then distances from it.
    pub fn of(numbers: &[f64]) -> Self {
        let mut moments = Self::default();
        let (mut finite, mut nan, mut zero) = (0, 0, 0);
        for number in numbers {
            finite += u64::from(number.is_finite());
            nan += u64::from(number.is_nan());
            zero += u64::from(*number == 0.0);
        }
        moments.infinite = numbers.len() as u64 - finite - nan;
        (moments.finite, moments.nan, moments.zero) = (finite, nan, zero);
        if finite == 0 {
            return moments;
        }
        let all = nan + moments.infinite == 0;
        // Where a number is left out, this stands in its place.
        let kept = |number: f64, instead: f64| {
            if all || number.is_finite() { number } else { instead }
        };
        moments.least = numbers.iter().map(|&n| kept(n, f64::INFINITY)).fold(f64::INFINITY, least);
        let lowest = f64::NEG_INFINITY;
        moments.most = numbers.iter().map(|&n| kept(n, lowest)).fold(lowest, most);
        let count = count(finite);
        // The sum of very large numbers may be infinite where their mean is not.
        let mean = sum(numbers, |number| kept(number, 0.0)) / count;
        let mean =
            if mean.is_finite() { mean } else { sum(numbers, |number| kept(number, 0.0) / count) };
        moments.mean = mean;
        moments.squares = sum(numbers, |number| (kept(number, mean) - mean).powi(2));
        moments
    }

    /// Takes those of further numbers in.
    pub fn join(&mut self, other: &Self) {
        if self.finite == 0 {
            (self.least, self.most) = (other.least, other.most);
            (self.mean, self.squares) = (other.mean, other.squares);
        } else if other.finite > 0 {
            // Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for computing
            // sample variances", 1979.
            let (ours, theirs) = (count(self.finite), count(other.finite));
            let (share, apart) = (theirs / (ours + theirs), other.mean - self.mean);
            self.squares += other.squares + apart * apart * ours * share;
            self.mean += apart * share;
            self.least = self.least.min(other.least);
            self.most = self.most.max(other.most);
        }
        self.finite += other.finite;
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.zero += other.zero;
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.finite + self.nan + self.infinite
    }

    /// The least and the largest finite number; `None` where there is none.
    pub fn range(&self) -> Option<(f64, f64)> {
        (self.finite > 0).then_some((self.least, self.most))
    }

    /// The mean of the finite numbers; `None` where there is none.
    pub fn mean(&self) -> Option<f64> {
        (self.finite > 0).then_some(self.mean)
    }

    /// Their standard deviation, as of a whole population; `None` where there is none, or its
    /// square is beyond an `f64`.
    pub fn deviation(&self) -> Option<f64> {
        let deviation = (self.squares / count(self.finite)).sqrt();
        deviation.is_finite().then_some(deviation)
    }
}

fn least(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

fn most(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

#[expect(clippy::cast_precision_loss, reason = "there are not 2^53 numbers in a file")]
fn count(n: u64) -> f64 {
    n as f64
}

fn sum(numbers: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for block in blocks {
        for (sum, number) in sums.iter_mut().zip(block) {
            *sum += of(*number);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|number| of(*number)).sum::<f64>()
}
