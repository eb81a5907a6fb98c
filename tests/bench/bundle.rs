//! A tensor bundle of variables with random values.

use std::path::Path;

use ckptmap::files::Location;
use ckptmap::object::Target;
use ckptmap::target::{Options, always, create};
use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};

/// A variable of 32-bit floats.
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) dims: Vec<u64>,
}

impl Variable {
    pub(crate) fn new(name: impl Into<String>, dims: &[u64]) -> Self {
        Self { name: name.into(), dims: dims.to_vec() }
    }

    pub(crate) fn bytes(&self) -> usize {
        let elements: u64 = self.dims.iter().product();
        usize::try_from(elements).unwrap() * size_of::<f32>()
    }
}

/// Writes variables into one data file, in the order of their names as TF1's `Saver` does.
pub(crate) fn write(at: &Path, mut variables: Vec<Variable>) {
    variables.sort_by(|a, b| a.name.cmp(&b.name));
    let options = Options { sync: false, ..Options::default() };
    let mut writer = create(&Location::from(at), &options, &[]).unwrap();
    let mut random = Random(1);
    for variable in variables {
        let values = random.floats(variable.bytes());
        let shape = Shape::new(variable.dims).unwrap();
        let spec = TensorSpec::new(DType::Float, shape).unwrap();
        let tensor = Tensor::new(spec, values).unwrap();
        writer.put(&Target::named(&variable.name), &tensor).unwrap();
    }
    writer.finish(None, &always).unwrap();
}

/// Numbers that nothing compresses, and the same in every run: `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// So many bytes of floats from 0.5 up to 1, of which every bit of the fraction is random.
    fn floats(&mut self, bytes: usize) -> Vec<u8> {
        const FRACTIONS: u64 = 0x007f_ffff_007f_ffff;
        const HALVES: u64 = 0x3f00_0000_3f00_0000;
        let mut values = Vec::with_capacity(bytes + size_of::<u64>());
        while values.len() < bytes {
            values.extend(((self.next() & FRACTIONS) | HALVES).to_le_bytes());
        }
        values.truncate(bytes);
        values
    }
}
