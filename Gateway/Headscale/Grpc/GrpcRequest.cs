using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Gateway.Policy;

namespace Gateway.Headscale.Grpc;

/// <summary>A call of a method with its arguments, by their names in JSON.</summary>
/// <param name="Method">The method.</param>
/// <param name="Arguments">What is sent.</param>
internal sealed record GrpcRequest(GrpcMethod Method, IReadOnlyDictionary<string, Argument> Arguments)
{
    /// <summary>A call of the gateway itself.</summary>
    public static GrpcRequest Of(string method, params ReadOnlySpan<(string Name, string Value)> arguments)
    {
        var given = new Dictionary<string, Argument>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments)
        {
            given.Add(name, Argument.Of(value));
        }

        return new(GrpcMethods.Find(method) ?? throw new ArgumentException(method, nameof(method)), given);
    }

    /// <summary>The call of the method that does what a judged call asks for; null: there is no such method.</summary>
    public static GrpcRequest? Of(RouteRule rule, Call call)
    {
        if (GrpcMethods.Find(call.Method, rule.Path) is not { } method)
        {
            return null;
        }

        var arguments = new Dictionary<string, Argument>(StringComparer.Ordinal);
        foreach (var (name, value) in call.Path.Concat(call.Query))
        {
            arguments.Add(name, Argument.Of(value));
        }

        foreach (var (name, value) in call.Body ?? Call.NoMembers)
        {
            arguments.Add(name, value);
        }

        return new(method, arguments);
    }

    /// <summary>Reads a call as it came over the wire. What is not understood completely is none.</summary>
    /// <exception cref="WireException">That version has no such method, or not these fields.</exception>
    public static GrpcRequest Read(GrpcMethod method, ReadOnlySpan<byte> message, HeadscaleVersion version)
    {
        if (!method.IsIn(version))
        {
            throw new WireException($"Headscale {version} has no {method.Name}");
        }

        var (arguments, lists) = (new Dictionary<string, Argument>(StringComparer.Ordinal), new Dictionary<string, List<string>>());
        var reader = new WireReader(message);
        while (reader.Read())
        {
            if (method.Request.IndexOf(reader.Number, version) is not (var at and >= 0))
            {
                throw new WireException($"{method.Name} of Headscale {version} has no field {reader.Number}");
            }

            var field = method.Request.Fields[at];
            if (field.IsRepeated)
            {
                (lists.TryGetValue(field.Name, out var list) ? list : lists[field.Name] = []).Add(ReadValue(field, reader).Text!);
            }
            else if (!arguments.TryAdd(field.Name, ReadValue(field, reader)))
            {
                throw new WireException($"'{field.Name}' is there twice");
            }
        }

        foreach (var (name, list) in lists)
        {
            arguments.Add(name, Argument.Of(list));
        }

        return new(method, arguments);
    }

    /// <summary>The message as a version takes it.</summary>
    /// <exception cref="WireException">That version has no such method, or no place for an argument.</exception>
    public byte[] Write(HeadscaleVersion version)
    {
        if (!Method.IsIn(version))
        {
            throw new WireException($"Headscale {version} has no {Method.Name}");
        }

        if (Arguments.Keys.FirstOrDefault(name => Method.Request.Find(name, version) is null) is { } homeless)
        {
            throw new WireException($"{Method.Name} of Headscale {version} has no '{homeless}'");
        }

        var message = new WireWriter();
        foreach (var field in Method.Request.FieldsIn(version))
        {
            if (Arguments.TryGetValue(field.Name, out var value))
            {
                Write(message, field, value);
            }
        }

        return message.ToArray();
    }

    private static void Write(WireWriter message, GrpcField field, Argument value)
    {
        switch (field, value)
        {
            case ({ Type: GrpcType.Text, IsRepeated: true }, { List: { } list }):
                foreach (var item in list)
                {
                    message.Bytes(field.Number, Encoding.UTF8.GetBytes(item));
                }

                break;
            case ({ Type: GrpcType.Text, IsRepeated: false }, { Text: { } text }):
                message.Text(field.Number, text);
                break;
            case ({ Type: GrpcType.Number }, { Text: { } id })
                when ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number):
                message.Number(field.Number, number);
                break;
            case ({ Type: GrpcType.Flag }, { Flag: { } flag }):
                message.Flag(field.Number, flag);
                break;
            case ({ Type: GrpcType.Flag }, { Text: "true" or "false" }):
                message.Flag(field.Number, value.Text == "true");
                break;
            case ({ Type: GrpcType.Time }, { Text: { } time }):
                message.Bytes(field.Number, ProtoTime.Write(time));
                break;
            default:
                throw new WireException($"'{field.Name}' cannot hold what was given");
        }
    }

    private static Argument ReadValue(GrpcField field, in WireReader value)
    {
        if (value.Type != field.WireType)
        {
            throw new WireException($"'{field.Name}' is of another type");
        }

        return field.Type switch
        {
            GrpcType.Text when Utf8.IsValid(value.Bytes) => Argument.Of(Encoding.UTF8.GetString(value.Bytes)),
            GrpcType.Number => Argument.Of(value.Value.ToString(CultureInfo.InvariantCulture)),
            GrpcType.Flag => Argument.Of(value.Value != 0),
            GrpcType.Time => Argument.Of(ProtoTime.Read(value.Bytes)),
            GrpcType.None or GrpcType.Text or GrpcType.RegisterMethod or GrpcType.Message =>
                throw new WireException($"'{field.Name}' is not understood"),
        };
    }
}
