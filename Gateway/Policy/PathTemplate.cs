using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Gateway.Policy;

/// <summary>
/// A row's path with typed parameters, such as <c>/api/v1/node/{nodeId:id}/rename/{newName:name}</c>. It reads a raw
/// request path and writes the canonical one that is sent: both from the same segments.
/// </summary>
internal sealed class PathTemplate
{
    private static readonly UTF8Encoding _strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly (string Text, ParameterType Type)[] _segments;

    private PathTemplate(string text, (string Text, ParameterType Type)[] segments) => (Text, _segments) = (text, segments);

    /// <summary>The template as written in the file.</summary>
    public string Text { get; }

    /// <summary>The template in the routing syntax of ASP.NET, without types.</summary>
    public string Pattern => "/" + string.Join('/', _segments.Select(one => one.Type is ParameterType.None ? one.Text : $"{{{one.Text}}}"));

    /// <summary>Segments, of which a rest is one.</summary>
    public int Length => _segments.Length;

    /// <summary>Whether it takes paths of any depth.</summary>
    public bool HasRest => _segments is [.., { Type: ParameterType.Rest }];

    public IEnumerable<string> Parameters => _segments.Where(one => one.Type is not ParameterType.None).Select(one => one.Text);

    /// <summary>Reads a template; null and a complaint when it is none.</summary>
    public static PathTemplate? Parse(string text, out string? complaint)
    {
        complaint = null;
        if (!text.StartsWith('/') || text.Contains("//", StringComparison.Ordinal))
        {
            complaint = "a path starts with one '/' and has no empty segment";
            return null;
        }

        var segments = new List<(string, ParameterType)>();
        foreach (var segment in text[1..].Split('/'))
        {
            if (segment is not ['{', .. var inner, '}'])
            {
                segments.Add((segment, ParameterType.None));
            }
            else if (inner.Split(':') is [{ Length: > 0 } name, var type] && ParameterTypes.ByName.TryGetValue(type, out var known))
            {
                segments.Add((name, known));
            }
            else
            {
                complaint = $"'{segment}' is not {{name:type}} with one of the types "
                    + $"{string.Join(", ", ParameterTypes.ByName.Keys.Order())}";
                return null;
            }
        }

        if (segments.SkipLast(1).Any(one => one.Item2 is ParameterType.Rest))
        {
            complaint = "a parameter of type 'rest' can only be the last one";
            return null;
        }

        return new PathTemplate(text, [.. segments]);
    }

    /// <summary>The values of a raw path, or null when it is not one of this template's. Literals compare ordinally.</summary>
    public IReadOnlyDictionary<string, string>? Read(string rawPath)
    {
        Dictionary<string, string>? values = null;
        var rest = rawPath.AsSpan();
        foreach (var (text, type) in _segments)
        {
            if (type is ParameterType.Rest)
            {
                if (type.Read(rest.ToString()) is not { } remainder)
                {
                    return null;
                }

                (values ??= new(StringComparer.Ordinal))[text] = remainder;
                return values;
            }

            if (rest.IsEmpty)
            {
                return null;
            }

            var slash = rest[1..].IndexOf('/') + 1;
            var part = slash == 0 ? rest[1..] : rest[1..slash];
            rest = slash == 0 ? [] : rest[slash..];
            if (type is ParameterType.None)
            {
                if (!part.SequenceEqual(text))
                {
                    return null;
                }
            }
            else if (type.Read(type is ParameterType.Name ? DecodeOnce(part.ToString()) : part.ToString()) is { } value)
            {
                (values ??= new(StringComparer.Ordinal))[text] = value;
            }
            else
            {
                return null;
            }
        }

        return rest.IsEmpty ? values ?? Call.None : null;
    }

    /// <summary>The first parameter whose value is missing or not of its type; null when all fit.</summary>
    public string? FirstWrong(IReadOnlyDictionary<string, string> values)
    {
        foreach (var (text, type) in _segments)
        {
            if (type is not ParameterType.None && type.Read(values.GetValueOrDefault(text)) is null)
            {
                return text;
            }
        }

        return null;
    }

    /// <summary>The type of a parameter; <see cref="ParameterType.None"/> when the path has none of that name.</summary>
    public ParameterType TypeOf(string parameter) =>
        Array.Find(_segments, one => one.Type is not ParameterType.None && one.Text == parameter).Type;

    /// <summary>The one canonical path for these values; the only path that goes upstream on the API plane.</summary>
    public string Write(IReadOnlyDictionary<string, string> values)
    {
        var written = new DefaultInterpolatedStringHandler(_segments.Length, _segments.Length, null, stackalloc char[256]);
        foreach (var (text, type) in _segments)
        {
            written.AppendLiteral(type is ParameterType.Rest ? "" : "/");
            written.AppendLiteral(type switch
            {
                ParameterType.None => text,
                ParameterType.Name => Uri.EscapeDataString(values[text]),

                // The other types hold nothing that needs an escape.
                _ => values[text],
            });
        }

        return written.ToStringAndClear();
    }

    /// <summary>Whether some path is matched by both templates, so that their order would matter.</summary>
    public bool Overlaps(PathTemplate other)
    {
        var (fixedHere, fixedThere) = (HasRest ? Length - 1 : Length, other.HasRest ? other.Length - 1 : other.Length);
        var common = Math.Min(fixedHere, fixedThere);
        return (HasRest || fixedHere >= fixedThere) && (other.HasRest || fixedThere >= fixedHere)
            && _segments.Take(common).Zip(other._segments).All(pair => (pair.First.Type, pair.Second.Type) switch
            {
                (ParameterType.None, ParameterType.None) => pair.First.Text == pair.Second.Text,
                (ParameterType.None, var type) => type.Read(pair.First.Text) is not null,
                (var type, ParameterType.None) => type.Read(pair.Second.Text) is not null,
                _ => true,
            });
    }

    private static string? DecodeOnce(string segment)
    {
        if (!segment.Contains('%', StringComparison.Ordinal))
        {
            return segment;
        }

        var bytes = new List<byte>();
        for (var i = 0; i < segment.Length; i++)
        {
            if (segment[i] is not '%')
            {
                bytes.Add((byte)segment[i]);
            }
            else if (i + 2 < segment.Length
                && byte.TryParse(segment.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                bytes.Add(octet);
                i += 2;
            }
            else
            {
                return null;
            }
        }

        try
        {
            return _strictUtf8.GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
