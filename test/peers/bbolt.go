// What bbolt itself writes and reads, for bbolt.test.ts:
//
//	bbolt make FILE      buckets in buckets, long values, many transactions that free pages
//	bbolt dump FILE      bucket, key and value, with tabs between them, key and value in hex
//	bbolt check FILE     bbolt's own check: what it finds, one a line
package main

import (
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"

	bolt "go.etcd.io/bbolt"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func bytes(random *rand.Rand, most int) []byte {
	data := make([]byte, random.Intn(most))
	random.Read(data)
	return data
}

func fill(bucket *bolt.Bucket, random *rand.Rand, entries int) {
	for i := 0; i < entries; i++ {
		key := []byte(fmt.Sprintf("key%05d", random.Intn(5000)))
		if random.Intn(4) == 0 {
			must(bucket.Delete(key))
			continue
		}
		most := 120
		if random.Intn(50) == 0 {
			most = 20000
		}
		must(bucket.Put(key, bytes(random, most)))
	}
}

func makeFile(path string) {
	db, err := bolt.Open(path, 0600, nil)
	must(err)
	db.NoSync = true
	random := rand.New(rand.NewSource(9))
	for round := 0; round < 12; round++ {
		must(db.Update(func(tx *bolt.Tx) error {
			for _, name := range []string{"alpha", "beta", "gamma"} {
				bucket, err := tx.CreateBucketIfNotExists([]byte(name))
				must(err)
				fill(bucket, random, 300)
				inner, err := bucket.CreateBucketIfNotExists([]byte("zz-inner"))
				must(err)
				// One that stays inline in its parent's leaf, and one that does not.
				if name == "alpha" {
					must(inner.Put([]byte{byte(round)}, []byte{1, 2, 3}))
				} else {
					fill(inner, random, 100)
				}
			}
			return nil
		}))
	}
	must(db.Update(func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("gamma")) }))
	must(db.Close())
}

func dump(name string, bucket *bolt.Bucket) {
	must(bucket.ForEach(func(key, value []byte) error {
		if value == nil {
			dump(name+"/"+string(key), bucket.Bucket(key))
		} else {
			fmt.Printf("%s\t%s\t%s\n", name, hex.EncodeToString(key), hex.EncodeToString(value))
		}
		return nil
	}))
}

func main() {
	verb, path := os.Args[1], os.Args[2]
	if verb == "make" {
		makeFile(path)
		return
	}
	db, err := bolt.Open(path, 0400, &bolt.Options{ReadOnly: true})
	must(err)
	must(db.View(func(tx *bolt.Tx) error {
		if verb == "dump" {
			return tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
				dump(string(name), bucket)
				return nil
			})
		}
		for fault := range tx.Check() {
			fmt.Println(fault)
		}
		return nil
	}))
}
