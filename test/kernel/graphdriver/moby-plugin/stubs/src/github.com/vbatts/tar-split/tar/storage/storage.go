// Package storage is the one interface that moby's graphdriver package names.
package storage

import "io"

type FileGetter interface {
	Get(filename string) (io.ReadCloser, error)
}
