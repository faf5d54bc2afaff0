using Gateway.Policy;

namespace Gateway.Tests.Policy;

/// <summary>Paths and parameters have one spelling; everything else matches nothing.</summary>
[Trait("Category", "Fast")]
public sealed class PathTemplateTests
{
    [Theory]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node/7", "7")]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node/18446744073709551615", "18446744073709551615")]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node/18446744073709551616", null)]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node/07", null)]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node/0x7", null)]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node/7/", null)]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node/", null)]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node", null)]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/Node/7", null)]
    [InlineData("/api/v1/node/{nodeId:id}", "//api/v1/node/7", null)]
    [InlineData("/api/v1/node/{nodeId:id}", "/api/v1/node/%37", null)]
    [InlineData("/n/{name:name}", "/n/two%20words", "two words")]
    [InlineData("/n/{name:name}", "/n/%C3%A4", "ä")]
    [InlineData("/n/{name:name}", "/n/%ff", null)]
    [InlineData("/n/{name:name}", "/n/a%2fb", null)]
    [InlineData("/n/{name:name}", "/n/a%252fb", null)]
    [InlineData("/n/{name:name}", "/n/%20a", null)]
    [InlineData("/n/{name:name}", "/n/..", null)]
    [InlineData("/n/{name:name}", "/n/a%00", null)]
    [InlineData("/n/{name:name}", "/n/a%e2%80%ae", null)]
    [InlineData("/n/{name:name}", "/n/%4", null)]
    [InlineData("/n/{name:word}", "/n/a.b-c_d", "a.b-c_d")]
    [InlineData("/n/{name:word}", "/n/.", null)]
    [InlineData("/n/{name:word}", "/n/a%2e", null)]
    [InlineData("/n/{name:key_prefix}", "/n/hskey-api-ab***", "hskey-api-ab***")]
    [InlineData("/n/{name:flag}", "/n/TRUE", null)]
    [InlineData("/n/{name:time}", "/n/2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z")]
    [InlineData("/n/{name:time}", "/n/2030-01-01", null)]
    public void APathIsReadInOneWay(string template, string path, string? value)
    {
        var read = PathTemplate.Parse(template, out _)!.Read(path);
        (read?.Values.Single()).Should().Be(value);
    }

    [Theory]
    [InlineData("two words", "/n/two%20words")]
    [InlineData("a+b", "/n/a%2Bb")]
    [InlineData("ä", "/n/%C3%A4")]
    public void WhatIsWrittenIsReadAgain(string value, string path)
    {
        var template = PathTemplate.Parse("/n/{name:name}", out _)!;
        template.Write(new Dictionary<string, string> { ["name"] = value }).Should().Be(path);
        template.Read(path)!["name"].Should().Be(value);
    }

    [Theory]
    [InlineData("/a/{x:id}", "/a/{y:name}", true)]
    [InlineData("/a/{x:id}", "/a/7", true)]
    [InlineData("/a/{x:id}", "/a/b", false)]
    [InlineData("/a/{x:id}", "/a/{y:id}/b", false)]
    [InlineData("/a/b", "/a/b", true)]
    public void TemplatesThatMatchTheSamePathOverlap(string one, string other, bool overlap) =>
        PathTemplate.Parse(one, out _)!.Overlaps(PathTemplate.Parse(other, out _)!).Should().Be(overlap);

    [Theory]
    [InlineData("a")]
    [InlineData("/a//b")]
    [InlineData("/a/{x}")]
    [InlineData("/a/{x:what}")]
    public void WhatIsNoTemplateIsSaid(string text)
    {
        PathTemplate.Parse(text, out var complaint).Should().BeNull();
        complaint.Should().NotBeNullOrEmpty();
    }
}
