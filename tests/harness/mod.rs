//! What stories are told with: fakes of the outside world, real servers on loopback.
pub(crate) mod smtp;
