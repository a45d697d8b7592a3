//! Local mirrors of the watched repositories, by gix.
