using Gateway.Headscale;
using Gateway.Headscale.Grpc;
using Gateway.Policy;

namespace Gateway.Authorization;

/// <summary>A call that came by gRPC: the operation of the HTTP API that does the same, with the same arguments.</summary>
internal sealed class GrpcCall : ICallSource
{
    private readonly Call _call;

    private readonly RuleCall? _source;

    /// <param name="rule">The rule of the operation that does the same; null: there is none.</param>
    /// <param name="message">The message that came.</param>
    /// <param name="version">The version of Headscale.</param>
    /// <param name="hasOwnKey">Whether Headscale judges the call by a key of the caller.</param>
    public GrpcCall(
        GrpcMethod method, RouteRule? rule, byte[] message, HeadscaleVersion version, RouteTable table, bool hasOwnKey)
    {
        _call = new Call { Method = method.Verb };
        Rule = rule;
        if (Rule is null)
        {
            _call = _call with { Problem = (Reason.NoSuchRoute, $"the policy has no operation for {method.Name}") };
            return;
        }

        try
        {
            var operation = OperationOf(Rule, GrpcRequest.Read(method, message, version), version);
            Path = Rule.Path.FirstWrong(operation.Path) is null ? Rule.Path.Write(operation.Path) : method.Pattern;
            _source = new RuleCall(operation, table);
            var call = _source.Read(version) with { Method = method.Verb };
            _call = hasOwnKey ? UnderstandAll(Rule, operation, version, call) : call;
        }
        catch (WireException e)
        {
            _call = _call with { Problem = (Reason.BadRequest, e.Message) };
        }
    }

    public RouteRule? Rule { get; }

    /// <summary>The rule of the operation that does what a method does; null: the policy has none that Headscale answers.</summary>
    public static RouteRule? RuleOf(GrpcMethod method, RouteTable table) => table.Rules.FirstOrDefault(
        one => one is { Plane: Plane.Api, Cluster: RouteRule.Headscale } && one.Methods.Contains(method.Verb)
            && one.Path.Pattern == method.Pattern);

    /// <summary>The path of the operation, for the audit.</summary>
    public string Path { get; } = "";

    public bool MayMeanApiKeys => Rule is { SparesGatewayKey: true };

    /// <summary>The message was understood when it came: a version has no say in it any more.</summary>
    public Call Read(HeadscaleVersion? version) => _call;

    public ValueTask<Call> ReadBodyAsync(Call call, HeadscaleVersion version) => _source!.ReadBodyAsync(call, version);

    /// <summary>
    /// Nothing else than what was understood can be sent on, also with a caller's own key. So what is wrong is wrong with the
    /// request, which ends such calls as well.
    /// </summary>
    private static Call UnderstandAll(RouteRule rule, Operation operation, HeadscaleVersion version, Call call)
    {
        if (call.Problem is var (reason, detail))
        {
            return call with { Problem = (reason is Reason.NotFound ? Reason.NoSuchRoute : Reason.BadRequest, detail) };
        }

        return rule.Body is not { } name ? call
            : BodyText.Complaint(operation.Body, Bodies.All[name], version) is { } complaint
                ? call with { Problem = (Reason.BadRequest, complaint) }
                : call with { Body = operation.Body };
    }

    /// <summary>Puts each argument where the operation takes it from. On the wire, an empty list is no list.</summary>
    private static Operation OperationOf(RouteRule rule, GrpcRequest request, HeadscaleVersion version)
    {
        var path = new Dictionary<string, string>(StringComparer.Ordinal);
        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        var body = new Dictionary<string, Argument>(StringComparer.Ordinal);
        foreach (var (name, value) in request.Arguments)
        {
            if (rule.Path.TypeOf(name) is not ParameterType.None)
            {
                path.Add(name, value.Text!);
            }
            else if (rule.Query.ContainsKey(name))
            {
                query.Add(name, value.Text ?? (value.Flag is true ? "true" : "false"));
            }
            else if (rule.Body is null)
            {
                throw new WireException($"'{name}' has no place in {rule.Id}");
            }
            else if (value.HasEffect)
            {
                body.Add(name, value);
            }
        }

        foreach (var field in rule.Body is { } model ? Bodies.All[model].Fields : [])
        {
            if (field is { Required: true, Type: FieldType.List } && field.IsIn(version))
            {
                body.TryAdd(field.Name, Argument.Of(Array.Empty<string>()));
            }
        }

        return Operation.Of(rule.Id, path, query, body);
    }
}
