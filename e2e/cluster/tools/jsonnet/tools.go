//go:build tools

// Package tools pins what the local cluster is built from.
package tools

import _ "github.com/google/go-jsonnet/cmd/jsonnet"
