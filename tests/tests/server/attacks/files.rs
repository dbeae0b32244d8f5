//! What lies in the data folder, and who may read it.
