# The operator and what it needs from a system: its shared libraries and the certificates of public CAs. `make image`
# gathers these files from the machine that builds, and builds this with them as context.
FROM scratch
COPY . /
# Any user but root; the chart sets the same.
USER 65532:65532
EXPOSE 9464
ENTRYPOINT ["/usr/bin/ado-operator"]
