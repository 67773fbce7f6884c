//go:build tools

// Package tools pins what the local cluster is built from.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
