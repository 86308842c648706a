//! Numbers that follow from the seed alone.

use uuid::{Builder, Uuid};

/// A well-mixed 64-bit number of three inputs (the finalizer of `SplitMix64`).
pub(crate) fn mix(seed: u64, stream: u64, index: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(stream.wrapping_mul(0xD1B5_4A32_D192_ED03))
        .wrapping_add(index.wrapping_mul(0x2545_F491_4F6C_DD1D))
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    for _ in 0..2 {
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
    }
    z
}

/// A number of a text, for streams that are named.
pub(crate) fn stream(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

/// A fraction from 0 (inclusive) to 1 (exclusive).
#[allow(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// An index below `len` (0 for an empty range).
pub(crate) fn below(bits: u64, len: usize) -> usize {
    usize::try_from(bits % (len.max(1) as u64)).unwrap_or_default()
}

/// A version 4 GUID.
pub(crate) fn guid(seed: u64, kind: &str, index: u64) -> Uuid {
    let stream = stream(kind);
    let (high, low) = (mix(seed, stream, index), mix(seed, !stream, index));
    Builder::from_u128((u128::from(high) << 64) | u128::from(low))
        .with_version(uuid::Version::Random)
        .with_variant(uuid::Variant::RFC4122)
        .into_uuid()
}

/// A personal access token in the classic form: 52 characters of base 32.
pub(crate) fn token(seed: u64, label: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let stream = stream(label);
    (0..52).map(|place| char::from(ALPHABET[below(mix(seed, stream, place), 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_inputs_give_the_same_and_others_give_others() {
        assert_eq!(guid(1, "project", 3), guid(1, "project", 3));
        assert_ne!(guid(1, "project", 3), guid(2, "project", 3));
        assert_ne!(guid(1, "project", 3), guid(1, "team", 3));
        assert_eq!(guid(1, "project", 3).get_version_num(), 4);
        assert_eq!(token(1, "full").len(), 52);
        assert_ne!(token(1, "full"), token(1, "read_only"));
    }
}
