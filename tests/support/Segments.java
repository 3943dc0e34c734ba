import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.DocValues;
import org.apache.lucene.index.DocValuesType;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.SortedSetDocValues;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;

/**
 * Writes what is in all Lucene indices below a folder, as Lucene reads it and so unpacked: the stored fields of every
 * document, of deleted ones too, all binary and sorted columns, all terms.
 */
class Segments {
    private static final OutputStream OUT = new BufferedOutputStream(System.out);

    public static void main(String[] arguments) throws IOException {
        List<Path> folders;
        try (var paths = Files.walk(Path.of(arguments[0]))) {
            folders = paths.filter(path -> path.getFileName().toString().equals("index")).toList();
        }
        for (Path folder : folders) {
            try (var reader = DirectoryReader.open(FSDirectory.open(folder))) {
                for (LeafReaderContext leaf : reader.leaves()) {
                    write(leaf.reader());
                }
            }
        }
        OUT.flush();
    }

    private static void write(LeafReader segment) throws IOException {
        var stored = segment.storedFields();
        for (int number = 0; number < segment.maxDoc(); number++) {
            for (IndexableField field : stored.document(number)) {
                if (field.binaryValue() != null) {
                    write(field.binaryValue());
                } else {
                    write(new BytesRef(field.stringValue()));
                }
            }
        }
        for (FieldInfo field : segment.getFieldInfos()) {
            if (field.getDocValuesType() == DocValuesType.BINARY) {
                BinaryDocValues column = DocValues.getBinary(segment, field.name);
                while (column.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
                    write(column.binaryValue());
                }
            } else if (field.getDocValuesType() == DocValuesType.SORTED_SET) {
                SortedSetDocValues column = DocValues.getSortedSet(segment, field.name);
                write(column.termsEnum());
            }
            if (field.getIndexOptions() != IndexOptions.NONE) {
                write(segment.terms(field.name).iterator());
            }
        }
    }

    private static void write(TermsEnum terms) throws IOException {
        for (BytesRef term = terms.next(); term != null; term = terms.next()) {
            write(term);
        }
    }

    private static void write(BytesRef bytes) throws IOException {
        OUT.write(bytes.bytes, bytes.offset, bytes.length);
        OUT.write('\n');
    }
}
