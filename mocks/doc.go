// Package mocks holds mocks of the ports, for tests that must see how the core
// calls an adapter. mockgen makes them from the ports' source:
//
//	go generate ./mocks
//
// Where it matters what an adapter answers rather than how it is called, a real
// one serves better: adapters/clock/fake, adapters/memory, adapters/metrics/recorder.
package mocks

//go:generate go run github.com/golang/mock/mockgen@v1.6.0 -source=../ports/authenticator.go -destination=authenticator.go -package=mocks -self_package=mocks -write_package_comment=false
//go:generate go run github.com/golang/mock/mockgen@v1.6.0 -source=../ports/clock.go -destination=clock.go -package=mocks -self_package=mocks -write_package_comment=false
//go:generate go run github.com/golang/mock/mockgen@v1.6.0 -source=../ports/codec.go -destination=codec.go -package=mocks -self_package=mocks -write_package_comment=false
//go:generate go run github.com/golang/mock/mockgen@v1.6.0 -source=../ports/metrics.go -destination=metrics.go -package=mocks -self_package=mocks -write_package_comment=false
//go:generate go run github.com/golang/mock/mockgen@v1.6.0 -source=../ports/transport.go -destination=transport.go -package=mocks -self_package=mocks -write_package_comment=false
