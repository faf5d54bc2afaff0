using System.Buffers;
using System.Globalization;
using Gateway.Audit;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Store.Segments;

/// <summary>One day of the audit to read: <c>2026-01-31.jsonl</c>. It may be written to at the same time.</summary>
internal sealed class SegmentFile : IDisposable
{
    public const string Suffix = ".jsonl";

    private const int Block = 256 * 1024;
    private const int SmallBlock = 4 * 1024;
    private const byte LineFeed = (byte)'\n';

    private readonly SafeFileHandle _file;

    private SegmentFile(string path, SafeFileHandle file, long length) => (Path, _file, Length) = (path, file, length);

    public string Path { get; }

    /// <summary>Up to the last whole line when it was opened.</summary>
    public long Length { get; }

    public static string NameOf(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + Suffix;

    public static DateOnly? DayOf(string path) =>
        System.IO.Path.GetFileName(path) is var name && name.EndsWith(Suffix, StringComparison.Ordinal)
        && DateOnly.TryParseExact(name[..^Suffix.Length], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? day
            : null;

    /// <summary>All days there are, oldest first.</summary>
    public static IReadOnlyList<string> All(string folder) => !Directory.Exists(folder) ? []
        : [.. Directory.EnumerateFiles(folder, "*" + Suffix).Where(one => DayOf(one) is not null).Order(StringComparer.Ordinal)];

    /// <summary>Null when it is gone by now.</summary>
    public static SegmentFile? Open(string path)
    {
        try
        {
            var file = File.OpenHandle(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
            return new(path, file, WholeLength(file));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Lines that end before an offset, newest first. A line's memory is good until the next one is asked for.</summary>
    public IEnumerable<(long At, ReadOnlyMemory<byte> Line)> Backward(long end)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Block);
        try
        {
            // buffer[..held] is what stands in the file from start on; it ends with the line feed of the next line to give.
            var (start, held) = (end, 0);
            while (start > 0 || held > 0)
            {
                var line = held > 0 ? buffer.AsSpan(0, held - 1).LastIndexOf(LineFeed) : -1;
                if (line < 0 && start > 0)
                {
                    (buffer, var read) = ReadBefore(buffer, start, held);
                    (start, held) = (start - read, held + read);
                    continue;
                }

                yield return (start + line + 1, buffer.AsMemory(line + 1, held - line - 2));
                held = line + 1;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Lines from an offset on, oldest first. A line's memory is good until the next one is asked for.</summary>
    public IEnumerable<(long At, ReadOnlyMemory<byte> Line)> Forward(long start, int block = Block)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(block);
        try
        {
            var (at, from, held) = (start, 0, 0);
            while (true)
            {
                var feed = buffer.AsSpan(from, held).IndexOf(LineFeed);
                if (feed >= 0)
                {
                    yield return (at, buffer.AsMemory(from, feed));
                    (at, from, held) = (at + feed + 1, from + feed + 1, held - feed - 1);
                    continue;
                }

                if (at + held >= Length)
                {
                    yield break;
                }

                var larger = held == buffer.Length ? ArrayPool<byte>.Shared.Rent(buffer.Length * 2) : buffer;
                buffer.AsSpan(from, held).CopyTo(larger);
                if (larger != buffer)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }

                from = 0;
                var read = RandomAccess.Read(
                    _file, buffer.AsSpan(held, (int)Math.Min(buffer.Length - held, Length - at - held)), at + held);
                if (read == 0)
                {
                    // What a full disk took half of was cut off meanwhile.
                    yield break;
                }

                held += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The offset of the first line that is not before what is looked for; the end when all are.</summary>
    /// <param name="isBefore">Whether a line stands before it. True for the first lines, false for the rest.</param>
    public long Find(Func<ChainLine, bool> isBefore)
    {
        // Lines that begin before low are before it, lines that begin at high or later are not.
        var (low, high) = (0L, Length);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var begin = LineBegin(middle);
            if (begin < high && (ChainLine.Parse(Forward(begin, SmallBlock).First().Line.Span) is not { } line || isBefore(line)))
            {
                low = begin + 1;
            }
            else
            {
                high = middle;
            }
        }

        return LineBegin(low);
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Where the first line begins that does not begin before an offset.</summary>
    private long LineBegin(long at)
    {
        if (at == 0)
        {
            return 0;
        }

        foreach (var (offset, line) in Forward(at - 1, SmallBlock))
        {
            return offset + line.Length + 1;
        }

        return Length;
    }

    private (byte[] Buffer, int Read) ReadBefore(byte[] buffer, long start, int held)
    {
        var wanted = (int)Math.Min(Block, start);
        var target = held + wanted > buffer.Length ? ArrayPool<byte>.Shared.Rent(held + wanted) : buffer;
        buffer.AsSpan(0, held).CopyTo(target.AsSpan(wanted));
        if (target != buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var read = 0;
        while (read < wanted)
        {
            var got = RandomAccess.Read(_file, target.AsSpan(read, wanted - read), start - wanted + read);
            if (got == 0)
            {
                throw new IOException($"{Path} became shorter while it was read");
            }

            read += got;
        }

        return (target, wanted);
    }

    private static long WholeLength(SafeFileHandle file)
    {
        Span<byte> buffer = stackalloc byte[4096];
        for (var end = RandomAccess.GetLength(file); end > 0;)
        {
            var from = Math.Max(0, end - buffer.Length);
            var read = RandomAccess.Read(file, buffer[..(int)(end - from)], from);
            if (buffer[..read].LastIndexOf(LineFeed) is >= 0 and var feed)
            {
                return from + feed + 1;
            }

            end = from;
        }

        return 0;
    }
}
