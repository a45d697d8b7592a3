//! Compressed JSON in a column: reports and attributions shrink to a fifth.

use super::StoreError;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Write;

/// Packs a value. Fails where it has no JSON form.
pub fn pack<T: Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>, StoreError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let json = serde_json::to_vec(value).map_err(|error| StoreError::content(what, error))?;
    encoder.write_all(&json).and_then(|()| encoder.finish()).map_err(|error| StoreError::content(what, error))
}

/// Unpacks a value that [`pack`] made. Fails where the bytes are not what this version packs.
pub fn unpack<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_reader(std::io::BufReader::new(ZlibDecoder::new(bytes)))
        .map_err(|error| StoreError::content(what, error))
}
