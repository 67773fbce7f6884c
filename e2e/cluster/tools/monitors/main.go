// Monitors tells whether objects of the Prometheus operator are what its own types know: a JSON list on stdin, one
// line for each object with a field that they do not have, nothing when all is well. Kubernetes' schemas have no such
// kinds, and a monitor with a misspelt field scrapes nothing and says nothing.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)

func main() {
	var objects []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for position, object := range objects {
		if err := known(object); err != nil {
			fmt.Printf("%d: %v\n", position, err)
		}
	}
}

func known(object json.RawMessage) error {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(object, &head); err != nil {
		return err
	}
	kinds := map[string]any{
		monitoring.ServiceMonitorsKind: &monitoring.ServiceMonitor{},
		monitoring.PodMonitorsKind:     &monitoring.PodMonitor{},
		monitoring.PrometheusRuleKind:  &monitoring.PrometheusRule{},
	}
	kind, found := kinds[head.Kind]
	if !found {
		return fmt.Errorf("no kind %q", head.Kind)
	}
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.DisallowUnknownFields()
	return decoder.Decode(kind)
}
