//! On the AWS emulator: the AWS engine by itself, and the real template with the real function binaries.

mod budget;
mod cloud;
mod cloud_crash;
mod cloud_faults;
mod cloud_gate;
mod cloud_management;
mod cloud_secrets;
mod cloud_systems;
mod cloud_targets;
mod cloud_vault;
mod contract_aws;
mod stored_names;
