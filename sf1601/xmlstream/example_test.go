package xmlstream_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

func ExampleNew() {
	root := etree.NewElement("brev")
	root.CreateElement("titel").CreateText("Kære Søren & co.")
	root.CreateElement("fil").AddChild(xmlstream.Placeholder(0))

	document, err := xmlstream.New(root, []xmlstream.Content{xmlstream.Bytes([]byte("%PDF-1.7"))})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(document.Size(), "bytes")

	body := document.Open(context.Background())
	defer func() { _ = body.Close() }()
	if _, err := io.Copy(os.Stdout, body); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 112 bytes
	// <?xml version="1.0" encoding="UTF-8"?>
	// <brev><titel>Kære Søren &amp; co.</titel><fil>JVBERi0xLjc=</fil></brev>
}
