//! The pod webhook as a Rust team would write it: axum over rustls, kube's admission types, a typed Pod. A
//! watcher keeps the CheckpointBackups in memory, indexed by what they refer to.
//!
//! usage: kube-rs-peer PORT CERT_DIR    with KUBECONFIG set; serves on 127.0.0.1

mod backups;
mod restore;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context, Result};
use axum::{Json, Router, extract::State, routing::post};
use axum_server::tls_rustls::RustlsConfig;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    core::{
        DynamicObject,
        admission::{AdmissionRequest, AdmissionResponse, AdmissionReview},
    },
};

use backups::Backups;

async fn mutate(
    State(backups): State<Backups>,
    Json(review): Json<AdmissionReview<Pod>>,
) -> Json<AdmissionReview<DynamicObject>> {
    let request: AdmissionRequest<Pod> = match review.try_into() {
        Ok(request) => request,
        Err(error) => return Json(AdmissionResponse::invalid(error.to_string()).into_review()),
    };
    let mut response = AdmissionResponse::from(&request);
    if let (Some(pod), Some(namespace)) = (&request.object, &request.namespace) {
        if let Some(patch) = restore::patch(&backups, namespace, pod) {
            response = match response.with_patch(patch) {
                Ok(patched) => patched,
                Err(error) => AdmissionResponse::invalid(error.to_string()),
            };
        }
    }
    Json(response.into_review())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().context("no port")?.parse()?;
    let certificates = PathBuf::from(arguments.next().context("no folder of certificates")?);
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();

    let client = Client::try_default().await?;
    let backups = backups::follow(Api::all(client)).await?;
    let tls = RustlsConfig::from_pem_file(certificates.join("tls.crt"), certificates.join("tls.key")).await?;
    let app = Router::new().route("/mutate-v1-pod", post(mutate)).with_state(backups);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    axum_server::bind_rustls(address, tls).serve(app.into_make_service()).await?;
    Ok(())
}
