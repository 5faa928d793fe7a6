//! What the fitting of weights sees of alignment: the very code that classifies.

pub use super::classify::{
    ABOUT_FEATURES, Classification, Features, OBJECTIVE_FEATURES, Objectives, Readers, Weights,
};
