# A static binary in an empty image: no shell, no package manager, no root.
#
#   docker build -t intercom-pp-cli .
#   docker run --rm -e INTERCOM_ACCESS_TOKEN -v intercom:/data intercom-pp-cli sync

FROM rust:1-alpine AS build
RUN apk add --no-cache build-base ca-certificates
WORKDIR /source
COPY . .
# Without the keyring, which a container does not have. The token is passed as a variable.
RUN cargo build --release --locked --no-default-features --features cli --bins \
    && mkdir -p /image/data /image/tmp /image/usr/local/bin /image/etc/ssl/certs \
    && cp target/release/intercom-pp-cli target/release/intercom-pp-mcp /image/usr/local/bin/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && chmod 1777 /image/tmp && chown -R 65532:65532 /image/data

FROM scratch
COPY --from=build /image /
USER 65532:65532
ENV HOME=/data XDG_DATA_HOME=/data XDG_CONFIG_HOME=/data/config PATH=/usr/local/bin
VOLUME /data
WORKDIR /data
ENTRYPOINT ["/usr/local/bin/intercom-pp-cli"]
CMD ["--help"]
