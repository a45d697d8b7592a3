//! Background work: claims jobs and runs the step that each names.
