// Takes archives apart and puts them together with vbatts/tar-split itself, as Docker does.
//
//	tar-split apart               an archive on standard input becomes compressed data
//	tar-split together FOLDER     data become an archive again, with the files in FOLDER
package main

import (
	"compress/gzip"
	"io"
	"os"

	"github.com/vbatts/tar-split/tar/asm"
	"github.com/vbatts/tar-split/tar/storage"
)

func main() {
	switch os.Args[1] {
	case "apart":
		compressed := gzip.NewWriter(os.Stdout)
		archive, err := asm.NewInputTarStream(os.Stdin, storage.NewJSONPacker(compressed), nil)
		check(err)
		_, err = io.Copy(io.Discard, archive)
		check(err)
		check(compressed.Close())
	case "together":
		data, err := gzip.NewReader(os.Stdin)
		check(err)
		files := storage.NewPathFileGetter(os.Args[2])
		check(asm.WriteOutputTarStream(files, storage.NewJSONUnpacker(data), os.Stdout))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
