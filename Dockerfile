# The root folder and settings of scripts/build-image, for those who have an image builder; without its
# labels of version, revision and time:
#   docker build -t stateful-migration-webhook .
FROM debian:12 AS build
WORKDIR /src
# Alone, so that a change of the sources does not install everything again.
COPY scripts/lib.sh scripts/
RUN bash -c '. scripts/lib.sh && install_packages "${build_packages[@]}" python3'
COPY . .
RUN scripts/build-image --root /image

FROM scratch
COPY --from=build /image /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
EXPOSE 8080 8081 9443
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/bin/stateful-migration-webhook"]
LABEL org.opencontainers.image.title="stateful-migration-webhook"
LABEL org.opencontainers.image.description="Admission webhook that restores the Pods of Jobs from checkpoint images"
LABEL org.opencontainers.image.licenses="Apache-2.0"
