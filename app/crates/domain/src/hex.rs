//! Bytes as hexadecimal digits, and back.

/// Two lower-case digits for each byte.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of hexadecimal digits of either case; `None` where there is anything else, or half a byte.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    rest.is_empty().then(|| bytes.collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_there_and_back() {
        assert_eq!(encode([0, 9, 10, 255]), "00090aff");
        assert_eq!(decode("00090AFf"), Some(vec![0, 9, 10, 255]));
        assert_eq!(decode(""), Some(vec![]));
    }

    #[test]
    fn what_is_no_hexadecimal_is_nothing() {
        for wrong in ["0", "0g", "+f", " f", "é0", "00 "] {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
    }
}
