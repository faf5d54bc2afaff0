using Gateway.Headscale;
using Gateway.Policy;

namespace Gateway.Authorization;

/// <summary>A call that a page makes: an operation with typed arguments. It is judged like one that came over the wire.</summary>
/// <param name="operation">The operation and its arguments.</param>
/// <param name="table">The policy.</param>
internal sealed class RuleCall(Operation operation, RouteTable table) : ICallSource
{
    public RouteRule? Rule { get; } = table.Rule(operation.Rule);

    public bool MayMeanApiKeys => false;

    public Call Read(HeadscaleVersion? version)
    {
        if (Rule is not { } rule)
        {
            return new Call { Method = "GET" };
        }

        var call = new Call
        {
            Method = rule.Methods.Order(StringComparer.Ordinal).First(),
            Path = operation.Path,
            Query = operation.Query,
            ExpectsBody = rule.Body is not null,
        };
        var wrong = rule.Path.FirstWrong(operation.Path)
            ?? operation.Query.Where(one => rule.Query.GetValueOrDefault(one.Key)?.Type.Read(one.Value) is null).Select(one => one.Key)
                .FirstOrDefault();
        return wrong is null ? call
            : rule.Path.TypeOf(wrong) is ParameterType.Id ? call with { Problem = (Reason.NotFound, "there is none of that id") }
            : call with { Problem = (Reason.BadRequest, $"'{wrong}' holds something that Headscale does not take: {WhatFits(wrong)}") };
    }

    public ValueTask<Call> ReadBodyAsync(Call call, HeadscaleVersion version) => new(
        BodyText.Complaint(operation.Body, Bodies.All[Rule!.Body!], version) is { } complaint
            ? call with { Problem = (Reason.BadBody, complaint) }
            : call with { Body = operation.Body });

    private static string WhatFits(string name) => name is "newName"
        ? "a name has no '/', '\\', '%', ';', '?' or '#' in it, no blank at its ends, and at most 255 characters"
        : "it is empty, too long, or has characters in it that are not allowed there";
}
