using System.Text.Json;

namespace Gateway.Headscale.Grpc;

/// <summary>What a field of a message holds.</summary>
internal enum GrpcType
{
    None = 0,
    Text,
    Flag,

    /// <summary>A whole number of 64 bits without a sign; JSON has it as text.</summary>
    Number,
    Time,
    RegisterMethod,
    Message,
}

/// <summary>One field of a message.</summary>
/// <param name="Number">Its number on the wire.</param>
/// <param name="Name">Its name in JSON.</param>
/// <param name="Type">What it holds.</param>
internal sealed record GrpcField(int Number, string Name, GrpcType Type)
{
    /// <summary>The message that it holds.</summary>
    public GrpcMessage? Message { get; init; }

    public bool IsRepeated { get; init; }

    /// <summary>First minor version that has it.</summary>
    public int Since { get; init; }

    /// <summary>Last minor version that has it.</summary>
    public int Until { get; init; } = int.MaxValue;

    /// <summary>The name as JSON has it.</summary>
    public JsonEncodedText JsonName { get; } = JsonEncodedText.Encode(Name);

    /// <summary>How its values are laid out.</summary>
    public WireType WireType => Type is GrpcType.Flag or GrpcType.Number or GrpcType.RegisterMethod ? WireType.Varint : WireType.Bytes;

    public bool IsIn(HeadscaleVersion version) => version.Minor >= Since && version.Minor <= Until;
}

/// <summary>A message of Headscale's gRPC service, in every version that has it.</summary>
internal sealed class GrpcMessage(params GrpcField[] fields)
{
    private readonly GrpcField[] _fields = [.. fields.OrderBy(one => one.Number)];

    /// <summary>The fields that a version has, in the order of their numbers.</summary>
    public IEnumerable<GrpcField> FieldsIn(HeadscaleVersion version) => _fields.Where(one => one.IsIn(version));

    /// <summary>The place of a field in <see cref="Fields"/> by its number; -1: that version has none.</summary>
    public int IndexOf(int number, HeadscaleVersion version)
    {
        for (var at = 0; at < _fields.Length; at++)
        {
            if (_fields[at].Number == number && _fields[at].IsIn(version))
            {
                return at;
            }
        }

        return -1;
    }

    /// <summary>The field of a name; null: that version has none.</summary>
    public GrpcField? Find(string name, HeadscaleVersion version) =>
        _fields.FirstOrDefault(one => one.Name == name && one.IsIn(version));

    /// <summary>All fields, whatever the version.</summary>
    public IReadOnlyList<GrpcField> Fields => _fields;
}
