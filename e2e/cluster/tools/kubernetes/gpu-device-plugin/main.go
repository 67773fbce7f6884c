// Gpu-device-plugin offers nvidia.com/gpu to the kubelet without any GPU: it speaks the device plug-in protocol of
// Kubernetes (v1beta1), so that the kubelet counts, assigns and frees the devices as it does on a GPU machine.
//
// The number of devices stands in a file and is read again twice a second. A kubelet that restarts removes every
// socket from the plug-in folder; this program then serves and registers again, as the protocol asks.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	resource = "nvidia.com/gpu"
	socket   = "gemma-e2e-gpu.sock"
	interval = 500 * time.Millisecond
)

type plugin struct {
	api.UnimplementedDevicePluginServer
	countFile string
}

func (p plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p plugin) ListAndWatch(_ *api.Empty, stream api.DevicePlugin_ListAndWatchServer) error {
	for told := -1; stream.Context().Err() == nil; time.Sleep(interval) {
		count := p.count()
		if count == told {
			continue
		}
		devices := make([]*api.Device, count)
		for i := range devices {
			devices[i] = &api.Device{ID: fmt.Sprintf("gpu-%d", i), Health: api.Healthy}
		}
		if err := stream.Send(&api.ListAndWatchResponse{Devices: devices}); err != nil {
			return err
		}
		log.Printf("told the kubelet of %d devices", count)
		told = count
	}
	return nil
}

// Allocate gives the containers nothing: there is no device, and the engine on the CPU must not look for one.
func (p plugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	answer := &api.AllocateResponse{}
	for range request.ContainerRequests {
		answer.ContainerResponses = append(answer.ContainerResponses, &api.ContainerAllocateResponse{})
	}
	return answer, nil
}

func (p plugin) count() int {
	text, err := os.ReadFile(p.countFile)
	if err != nil {
		return 0
	}
	count, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || count < 0 {
		log.Fatalf("%s holds %q: want a number of devices", p.countFile, text)
	}
	return count
}

// serve runs one life of the plug-in: until the kubelet removes its socket.
func (p plugin) serve(path string) error {
	_ = os.Remove(path)
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	defer server.Stop()
	api.RegisterDevicePluginServer(server, p)
	go func() { _ = server.Serve(listener) }()
	if err := register(); err != nil {
		return err
	}
	for {
		if _, err := os.Stat(path); err != nil {
			return err
		}
		time.Sleep(interval)
	}
}

func register() error {
	connection, err := grpc.NewClient("unix://"+api.KubeletSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request := &api.RegisterRequest{Version: api.Version, Endpoint: socket, ResourceName: resource}
	_, err = api.NewRegistrationClient(connection).Register(patience, request)
	return err
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: gpu-device-plugin COUNT_FILE")
	}
	offered := plugin{countFile: os.Args[1]}
	for {
		log.Printf("serving again: %v", offered.serve(filepath.Join(api.DevicePluginPath, socket)))
		time.Sleep(interval)
	}
}
