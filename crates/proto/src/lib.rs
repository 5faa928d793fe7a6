//! Types generated from the contracts under `proto/`, and nothing written by hand beyond this file.
//!
//! Services meet here and only here. [`DESCRIPTORS`] is the compiled descriptor set with its policy options, read by
//! gRPC reflection, by the policy layer and by the tests that look for an RPC without a policy.

#![allow(clippy::pedantic, reason = "generated code follows its generator's style")]
#![allow(missing_docs, reason = "generated code documents itself in proto/")]

/// The encoded `FileDescriptorSet` of all contracts, imports included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! contracts {
    ($($service:ident)+) => {$(
        #[doc = concat!("`preceptor.", stringify!($service), ".v1`.")]
        pub mod $service {
            /// The first version of the contract.
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/preceptor.", stringify!($service), ".v1.rs"));
            }
        }
    )+};
}

contracts! { policy auth ingestion retrieval answering alignment credentials credits analytics audit events }
