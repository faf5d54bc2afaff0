using System.Formats.Tar;
using System.IO.Compression;

namespace Release;

/// <summary>Something that goes into an archive.</summary>
/// <param name="Name">Its path there.</param>
/// <param name="Bytes">What is in it.</param>
internal sealed record Item(string Name, byte[] Bytes)
{
    /// <summary>Whether it is run.</summary>
    public bool IsProgram { get; init; }

    /// <summary>Where it leads, when it is a symbolic link.</summary>
    public string? LinkTo { get; init; }

    public static Item OfFile(string name, string path) => new(name.Replace('\\', '/'), File.ReadAllBytes(path));
}

/// <summary>Archives that come out the same each time: sorted, owned by root, of one time.</summary>
internal static class TarGz
{
    public static byte[] Pack(IReadOnlyList<Item> items, DateTimeOffset time)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.SmallestSize, leaveOpen: true))
        using (var tar = new TarWriter(zip, TarEntryFormat.Ustar))
        {
            var folders = new HashSet<string>(StringComparer.Ordinal);
            foreach (var item in items.OrderBy(one => one.Name, StringComparer.Ordinal))
            {
                foreach (var folder in FoldersOf(item.Name).Where(folders.Add))
                {
                    tar.WriteEntry(
                        new UstarTarEntry(TarEntryType.Directory, folder) { ModificationTime = time, Mode = (UnixFileMode)0b111_101_101 });
                }

                var entry = new UstarTarEntry(item.LinkTo is null ? TarEntryType.RegularFile : TarEntryType.SymbolicLink, item.Name)
                {
                    ModificationTime = time,
                    Mode = item.IsProgram || item.LinkTo is not null ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100,
                };
                if (item.LinkTo is { } target)
                {
                    entry.LinkName = target;
                }
                else
                {
                    entry.DataStream = new MemoryStream(item.Bytes);
                }

                tar.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    private static IEnumerable<string> FoldersOf(string name)
    {
        for (var at = name.IndexOf('/', StringComparison.Ordinal); at >= 0; at = name.IndexOf('/', at + 1))
        {
            yield return name[..(at + 1)];
        }
    }
}
