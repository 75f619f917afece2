//! Which images a pod gets.

use std::collections::HashMap;

use json_patch::{Patch, PatchOperation, ReplaceOperation};
use jsonptr::PointerBuf;
use k8s_openapi::api::core::v1::Pod;

use crate::backups::{Backups, CheckpointBackup};

/// Nothing when the pod is of no Job, has no backup or has its images already.
pub fn patch(backups: &Backups, namespace: &str, pod: &Pod) -> Option<Patch> {
    let owners = pod.metadata.owner_references.iter().flatten();
    let job = owners.into_iter().find(|owner| owner.kind == "Job" && owner.api_version == "batch/v1")?;
    let backup = backups.find(namespace, &job.name)?;
    let images = images(&backup);
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers).enumerate();
    let operations: Vec<_> = containers
        .filter_map(|(index, container)| {
            let image = *images.get(container.name.as_str())?;
            (container.image.as_deref() != Some(image)).then(|| {
                PatchOperation::Replace(ReplaceOperation {
                    path: PointerBuf::from_tokens(["spec", "containers", &index.to_string(), "image"]),
                    value: image.into(),
                })
            })
        })
        .collect();
    (!operations.is_empty()).then_some(Patch(operations))
}

/// By container: what was built, unless the spec names another.
fn images(backup: &CheckpointBackup) -> HashMap<&str, &str> {
    let built = backup.status.iter().flat_map(|status| &status.built_images);
    let mut images: HashMap<&str, &str> =
        built.map(|image| (image.container_name.as_str(), image.image_name.as_str())).collect();
    for container in &backup.spec.containers {
        if !container.image.is_empty() {
            images.insert(&container.name, &container.image);
        }
    }
    images
}
