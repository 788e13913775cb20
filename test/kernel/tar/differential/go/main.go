// Lists the entries of each archive named, a line of JSON for each archive, as Go's archive/tar reads them.
package main

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
)

type entry struct {
	Type, Name, Link                         []byte
	Size, Mode, Uid, Gid, Time, Major, Minor int64
	Content                                  string
}

type listing struct {
	Error   string
	Entries []entry
}

func list(path string) (found listing) {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	reader := tar.NewReader(bufio.NewReader(file))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			found.Error = err.Error()
			return
		}
		hash := sha256.New()
		if header.Size < 1<<26 {
			if _, err := io.Copy(hash, reader); err != nil {
				found.Error = err.Error()
				return
			}
		}
		found.Entries = append(found.Entries, entry{
			[]byte{header.Typeflag}, []byte(header.Name), []byte(header.Linkname), header.Size, header.Mode,
			int64(header.Uid), int64(header.Gid), header.ModTime.Unix(),
			header.Devmajor, header.Devminor, hex.EncodeToString(hash.Sum(nil)),
		})
	}
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, path := range os.Args[1:] {
		if err := out.Encode(list(path)); err != nil {
			panic(err)
		}
	}
}
